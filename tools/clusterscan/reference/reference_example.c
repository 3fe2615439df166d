/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reference_example: two messages as the bytes they are on the wire, packed by the code that packs
 * all messages, and read aloud. The payload is stored, not compressed, so that it can be read in
 * the dump. */
#include "tools/clusterscan/reference/reference_example.h"

#include <assert.h>
#include <ctype.h>

#include "common/wire/frame.h"
#include "tools/clusterscan/reference/reference_aloud.h"

#define RUN_ID "0123456789abcdef0123456789abcdef"
#define EPOCH  UINT64_C(0x1122334455667788)

static void dump(FILE *to, const char *title, struct wire_frame frame)
{
    enum { ROW = 16 };
    fprintf(to, "%s, %zu bytes\n\n```\n", title, frame.size);
    for (size_t at = 0; at < frame.size; at += ROW) {
        fprintf(to, "%04zx ", at);
        for (size_t i = at; i < at + ROW; i++)
            if (i < frame.size)
                fprintf(to, " %02x", frame.data[i]);
            else
                fputs("   ", to);
        fputs("  ", to);
        for (size_t i = at; i < at + ROW && i < frame.size; i++)
            fputc(isprint(frame.data[i]) ? frame.data[i] : '.', to);
        fputc('\n', to);
    }
    fputs("```\n\nRead aloud:\n\n```\n", to);
}

static void end_block(FILE *to)
{
    fputs("```\n\n", to);
}

static status dump_control(FILE *to, wire_packer *packer)
{
    const struct control_pull pull = {.name = "select",
                                      .incarnation = EPOCH,
                                      .from = 3,
                                      .until = 11,
                                      .modulus = 1,
                                      .mass = {3000, 4600}};
    struct wire_frame frame;
    const status done = wire_pack_control(packer, CONTROL_PULL, RUN_ID, &pull, &frame);
    if (done != STATUS_OK)
        return done;
    dump(to, "A `pull`, one frame", frame);
    reference_read_msgpack(to, frame.size, frame.data,
                           (const char *[]){"protocol version", "type", "run id", NULL});
    end_block(to);
    return STATUS_OK;
}

static status dump_record(FILE *to, wire_packer *packer)
{
    const struct score_record score = {.members = 1,
                                       .slice = 3,
                                       .read = 131072,
                                       .mean = 4.2718281828459045,
                                       .median = 3.1415926535897931,
                                       .max = 5.7721566490153286,
                                       .min = 1.6180339887498949,
                                       .mls = (const double[]){2.6651441426902252},
                                       .bin = (const int32_t[]){5}};
    struct wire_header header = {.type = MESSAGE_SCORE,
                                 .run_id = RUN_ID,
                                 .source = 0,
                                 .seq = 3,
                                 .attempt = 1,
                                 .epoch = EPOCH};
    struct wire_frame frames[2];
    uint8_t payload[1024];
    assert(wire_bound(packer, header.type, &score) <= sizeof payload);
    const status done = wire_pack(packer, &header, &score, sizeof payload, payload, frames);
    if (done != STATUS_OK)
        return done;
    dump(to, "A `score`, first frame: header", frames[0]);
    reference_read_msgpack(to, frames[0].size, frames[0].data,
                           (const char *[]){"protocol version", "type", "run id", "source", "seq",
                                            "attempt", "epoch", "events", "raw length", "digest",
                                            NULL});
    end_block(to);
    dump(to, "A `score`, second frame: payload", frames[1]);
    reference_read_lz4(to, frames[1].size, frames[1].data);
    end_block(to);
    return done;
}

status reference_example(FILE *to)
{
    wire_packer *packer = NULL;
    status done = wire_packer_create(&packer, PAYLOAD_STORED);
    if (done == STATUS_OK)
        done = dump_control(to, packer);
    if (done == STATUS_OK)
        done = dump_record(to, packer);
    wire_packer_destroy(&packer);
    return done;
}
