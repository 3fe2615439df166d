/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records and controls survive the wire; what is not exactly right is refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/frame.h"
#include "common/wire/scan.h"
#include "tests/support/check_main.h"

static const char run_id[RUN_ID_SIZE] = "0123456789abcdef0123456789abcdef";
static wire_packer *packers[2]; /* by coding */
static wire_unpacker *unpacker;

static void open_wire(void)
{
    for (int i = PAYLOAD_STORED; i <= PAYLOAD_LZ4; i++)
        ck_assert_int_eq(wire_packer_create(&packers[i], (enum payload_coding)i), STATUS_OK);
    ck_assert_int_eq(wire_unpacker_create(&unpacker), STATUS_OK);
}

static void close_wire(void)
{
    for (int i = PAYLOAD_STORED; i <= PAYLOAD_LZ4; i++)
        wire_packer_destroy(&packers[i]);
    wire_unpacker_destroy(&unpacker);
}

/* Three events of 2, 0 and 1 particles: odd numbers, so that arrays lie unaligned in the message.
 */
static const uint32_t offset[] = {0, 2, 2, 3};
static const float pt[] = {101.5F, 22.25F, 3.0F};
static const float eta[] = {-1.0F, 0.5F, 2.0F};
static const float phi[] = {0.0F, 3.0F, 6.25F};
static const int8_t label[] = {1, 0, 1};

static struct event_batch a_batch(void)
{
    return (struct event_batch){.first_row = 5000000000,
                                .events = 3,
                                .particles = 3,
                                .offset = offset,
                                .pt = pt,
                                .eta = eta,
                                .phi = phi,
                                .label = label};
}

static struct wire_header a_header(void)
{
    struct wire_header header = {.type = MESSAGE_EVENT_BATCH,
                                 .source = 2,
                                 .seq = UINT64_MAX - 1,
                                 .attempt = 3,
                                 .epoch = 77,
                                 .events = 3};
    memcpy(header.run_id, run_id, sizeof run_id);
    return header;
}

/* Copies of the frames, to be damaged. */
struct copy {
    uint8_t header[512];
    size_t header_size;
    uint8_t payload[4096];
    size_t payload_size;
};

static struct copy pack_copy(int coding, const struct event_batch *batch)
{
    struct copy copy;
    struct wire_frame frames[2];
    struct wire_header header = a_header();
    ck_assert_uint_le(wire_bound(packers[coding], header.type, batch), sizeof copy.payload);
    ck_assert_int_eq(
        wire_pack(packers[coding], &header, batch, sizeof copy.payload, copy.payload, frames),
        STATUS_OK);
    ck_assert_uint_le(frames[0].size, sizeof copy.header);
    ck_assert_ptr_eq(frames[1].data, copy.payload);
    memcpy(copy.header, frames[0].data, frames[0].size);
    copy.header_size = frames[0].size;
    copy.payload_size = frames[1].size;
    return copy;
}

static status unpack_copy(const struct copy *copy, struct wire_header *header, union record *record)
{
    const struct wire_frame first = {copy->header, copy->header_size};
    const struct wire_frame second = {copy->payload, copy->payload_size};
    const status done = wire_unpack_header(unpacker, first, header);
    return done == STATUS_OK ? wire_unpack(unpacker, header, second, record) : done;
}

START_TEST(a_batch_arrives_as_it_was_sent)
{
    const struct event_batch batch = a_batch();
    const struct copy copy = pack_copy(_i, &batch);
    struct wire_header header;
    union record record;
    ck_assert_int_eq(unpack_copy(&copy, &header, &record), STATUS_OK);
    ck_assert_str_eq(header.run_id, run_id);
    ck_assert_uint_eq(header.seq, UINT64_MAX - 1);
    ck_assert_uint_eq(header.source, 2);
    ck_assert_uint_eq(header.attempt, 3);
    ck_assert_uint_eq(header.epoch, 77);
    ck_assert_uint_eq(record.events.first_row, 5000000000);
    ck_assert_uint_eq(record.events.events, 3);
    ck_assert_mem_eq(record.events.offset, offset, sizeof offset);
    ck_assert_mem_eq(record.events.pt, pt, sizeof pt);
    ck_assert_mem_eq(record.events.eta, eta, sizeof eta);
    ck_assert_mem_eq(record.events.phi, phi, sizeof phi);
    ck_assert_mem_eq(record.events.label, label, sizeof label);
    ck_assert_uint_eq((uintptr_t)record.events.pt % sizeof(float), 0);
}
END_TEST

START_TEST(an_optional_array_that_is_not_known_stays_so)
{
    struct event_batch batch = a_batch();
    batch.label = NULL;
    const struct copy copy = pack_copy(_i, &batch);
    struct wire_header header;
    union record record;
    ck_assert_int_eq(unpack_copy(&copy, &header, &record), STATUS_OK);
    ck_assert_ptr_null(record.events.label);
}
END_TEST

START_TEST(a_batch_without_events_has_arrays_of_no_elements)
{
    static const uint32_t no_offset[] = {0};
    const struct event_batch batch = {.offset = no_offset};
    const struct copy copy = pack_copy(_i, &batch);
    struct wire_header header;
    union record record;
    ck_assert_int_eq(unpack_copy(&copy, &header, &record), STATUS_OK);
    ck_assert_uint_eq(record.events.events, 0);
    ck_assert_uint_eq(record.events.offset[0], 0);
    ck_assert_ptr_nonnull(record.events.pt);
}
END_TEST

START_TEST(nested_counts_and_inline_arrays_arrive)
{
    static const uint64_t counts[2 * 3 * 5] = {1, 2, 3, [29] = 30};
    static const double z[2 * 3 * 5] = {0.5, [29] = -1e300};
    static const uint8_t rich_label[2 * 3] = {1, 0, 0, 0, 0, 1};
    static const uint64_t bins[2 * 5] = {7};
    static const double background[2 * 5] = {0.1};
    const struct selection_record selection = {
        .summed = {.generation = 1,
                   .members = 2,
                   .clusters = 3,
                   .bins = 5,
                   .slice = 9,
                   .tally = {.read = 10, .counted = 6, .dropped = {[DROP_ONE_JET] = 4}},
                   .digest = UINT64_MAX,
                   .counts = counts,
                   .signal = counts},
        .z = z,
        .label = rich_label,
        .rich = bins,
        .depleted = bins,
        .background = background};
    struct wire_header header = a_header();
    header.type = MESSAGE_SELECTION;
    struct wire_frame frames[2];
    union record record;
    uint8_t payload[2048];
    ck_assert_uint_le(wire_bound(packers[_i], header.type, &selection), sizeof payload);
    ck_assert_int_eq(wire_pack(packers[_i], &header, &selection, sizeof payload, payload, frames),
                     STATUS_OK);
    ck_assert_int_eq(wire_unpack(unpacker, &header, frames[1], &record), STATUS_OK);
    const struct selection_record *got = &record.selection;
    ck_assert_uint_eq(got->summed.tally.dropped[DROP_ONE_JET], 4);
    ck_assert_uint_eq(got->summed.digest, UINT64_MAX);
    ck_assert_mem_eq(got->summed.counts, counts, sizeof counts);
    ck_assert_mem_eq(got->z, z, sizeof z);
    ck_assert_mem_eq(got->label, rich_label, sizeof rich_label);
    ck_assert_mem_eq(got->background, background, sizeof background);
}
END_TEST

START_TEST(a_model_arrives_with_its_map_and_is_held_against_the_image)
{
    static const float prototype[3 * 4] = {0.25F, [11] = 1.0F};
    static const double scale[3] = {1.0, 0.5, 3.0}, bias[3] = {0.0, -2.5, 1e300};
    static const uint16_t map[3] = {1, 0, 1};
    const struct model_record model = {.member = 2,
                                       .algorithm = "mixture",
                                       .clusters = 2,
                                       .prototypes = 3,
                                       .pixels = 4,
                                       .cutoff = INFINITY,
                                       .prototype = prototype,
                                       .scale = scale,
                                       .bias = bias,
                                       .map = map};
    struct wire_header header = a_header();
    header.type = MESSAGE_MODEL;
    struct wire_frame frames[2];
    union record record;
    uint8_t payload[2048];
    ck_assert_uint_le(wire_bound(packers[_i], header.type, &model), sizeof payload);
    ck_assert_int_eq(wire_pack(packers[_i], &header, &model, sizeof payload, payload, frames),
                     STATUS_OK);
    ck_assert_int_eq(wire_unpack(unpacker, &header, frames[1], &record), STATUS_OK);
    const struct model_record *got = &record.model;
    ck_assert_str_eq(got->algorithm, "mixture");
    ck_assert_uint_eq(got->prototypes, 3);
    ck_assert_double_eq(got->cutoff, INFINITY);
    ck_assert_mem_eq(got->prototype, prototype, sizeof prototype);
    ck_assert_mem_eq(got->scale, scale, sizeof scale);
    ck_assert_mem_eq(got->bias, bias, sizeof bias);
    ck_assert_mem_eq(got->map, map, sizeof map);
    const struct wire_limits fit = {.batch = 1, .pixels = 4}, other = {.batch = 1, .pixels = 9};
    ck_assert_ptr_null(wire_record_fault(MESSAGE_MODEL, got, &fit));
    ck_assert_ptr_nonnull(wire_record_fault(MESSAGE_MODEL, got, &other));
}
END_TEST

START_TEST(a_stored_payload_is_read_where_it_lies)
{
    const struct event_batch batch = a_batch();
    const struct copy copy = pack_copy(PAYLOAD_STORED, &batch);
    struct wire_header header;
    union record record;
    ck_assert_int_eq(unpack_copy(&copy, &header, &record), STATUS_OK);
    const uint8_t *label_at = (const uint8_t *)record.events.label;
    ck_assert(label_at > copy.payload && label_at < copy.payload + copy.payload_size);
}
END_TEST

/* LZ4 blocks end at 4 MiB, so a larger payload has several. */
START_TEST(a_record_of_several_blocks_arrives)
{
    enum { PARTICLES = 1000003 };
    static const uint32_t whole[] = {0, PARTICLES};
    float *values = malloc(PARTICLES * sizeof *values);
    for (size_t i = 0; i < PARTICLES; i++)
        values[i] = (float)i;
    const struct event_batch batch = {.events = 1,
                                      .particles = PARTICLES,
                                      .offset = whole,
                                      .pt = values,
                                      .eta = values,
                                      .phi = values};
    struct wire_header header = a_header();
    struct wire_frame frames[2];
    const size_t room = wire_bound(packers[_i], header.type, &batch);
    uint8_t *payload = malloc(room);
    ck_assert_int_eq(wire_pack(packers[_i], &header, &batch, room, payload, frames), STATUS_OK);
    union record record;
    ck_assert_int_eq(wire_unpack(unpacker, &header, frames[1], &record), STATUS_OK);
    ck_assert_mem_eq(record.events.pt, values, PARTICLES * sizeof *values);
    ck_assert_mem_eq(record.events.phi, values, PARTICLES * sizeof *values);
    free(payload);
    free(values);
}
END_TEST

/* What a program that uses liblz4 alone sees. */
START_TEST(a_stored_payload_is_a_frame_to_lz4)
{
    const struct event_batch batch = a_batch();
    const struct copy copy = pack_copy(PAYLOAD_STORED, &batch);
    struct wire_header header;
    const struct wire_frame first = {copy.header, copy.header_size};
    ck_assert_int_eq(wire_unpack_header(unpacker, first, &header), STATUS_OK);
    LZ4F_dctx *lz4;
    uint8_t raw[4096];
    ck_assert(!LZ4F_isError(LZ4F_createDecompressionContext(&lz4, LZ4F_VERSION)));
    const size_t length = (size_t)header.raw_length;
    ck_assert_ptr_null(payload_decode(lz4, copy.payload_size, copy.payload, length, raw));
    ck_assert_mem_eq(raw, payload_inside(copy.payload_size, copy.payload, length), length);
    LZ4F_freeDecompressionContext(lz4);
}
END_TEST

START_TEST(every_single_damaged_byte_is_noticed)
{
    const struct event_batch batch = a_batch();
    const struct copy whole = pack_copy(_i, &batch);
    for (size_t i = 0; i < whole.payload_size; i++) {
        struct copy copy = whole;
        copy.payload[i] ^= 0x20;
        struct wire_header header;
        union record record;
        ck_assert_msg(unpack_copy(&copy, &header, &record) == STATUS_BAD_INPUT,
                      "byte %zu of the payload was changed and nobody saw it", i);
    }
}
END_TEST

START_TEST(a_truncated_or_longer_frame_is_refused)
{
    const struct event_batch batch = a_batch();
    const struct copy whole = pack_copy(_i, &batch);
    for (size_t n = 0; n < whole.payload_size + 2; n++) {
        struct copy copy = whole;
        copy.payload_size = n;
        struct wire_header header;
        union record record;
        if (n != whole.payload_size)
            ck_assert_int_eq(unpack_copy(&copy, &header, &record), STATUS_BAD_INPUT);
    }
    for (size_t n = 0; n < whole.header_size; n++) {
        struct wire_header header;
        const struct wire_frame frame = {whole.header, n};
        ck_assert_int_eq(wire_unpack_header(unpacker, frame, &header), STATUS_BAD_INPUT);
    }
}
END_TEST

START_TEST(a_raw_length_above_the_cap_is_refused_before_anything_is_allocated)
{
    struct copy copy = {.header_size = 0};
    const struct event_batch batch = a_batch();
    copy = pack_copy(PAYLOAD_STORED, &batch);
    /* raw length is the last number before the digest (bin 8: 2 + 16 bytes). */
    uint8_t longer[512];
    const size_t digest_at = copy.header_size - 18;
    const size_t length_bytes = copy.header[digest_at - 2] == 0xcc ? 2 : 3;
    memcpy(longer, copy.header, digest_at - length_bytes);
    uint8_t *at = longer + digest_at - length_bytes;
    const uint8_t huge[9] = {0xcf, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    memcpy(at, huge, sizeof huge);
    memcpy(at + sizeof huge, copy.header + digest_at, 18);
    struct wire_header header;
    const struct wire_frame frame = {longer, digest_at - length_bytes + sizeof huge + 18};
    ck_assert_int_eq(wire_unpack_header(unpacker, frame, &header), STATUS_BAD_INPUT);
    ck_assert_str_eq(wire_reason(unpacker), "raw length above the cap");
}
END_TEST

START_TEST(another_protocol_version_is_refused)
{
    const struct event_batch batch = a_batch();
    struct copy copy = pack_copy(PAYLOAD_STORED, &batch);
    ck_assert_uint_eq(copy.header[1], WIRE_VERSION); /* behind the head of the array */
    copy.header[1] = WIRE_VERSION + 1;
    struct wire_header header;
    const struct wire_frame frame = {copy.header, copy.header_size};
    ck_assert_int_eq(wire_unpack_header(unpacker, frame, &header), STATUS_BAD_INPUT);
    ck_assert_str_eq(wire_reason(unpacker), "another protocol version");
}
END_TEST

START_TEST(a_message_read_as_another_type_is_refused)
{
    const struct event_batch batch = a_batch();
    const struct copy copy = pack_copy(_i, &batch);
    struct wire_header header;
    union record record;
    const struct wire_frame first = {copy.header, copy.header_size};
    const struct wire_frame second = {copy.payload, copy.payload_size};
    ck_assert_int_eq(wire_unpack_header(unpacker, first, &header), STATUS_OK);
    header.type = MESSAGE_SCORE;
    ck_assert_int_eq(wire_unpack(unpacker, &header, second, &record), STATUS_BAD_INPUT);
}
END_TEST

START_TEST(a_control_arrives_with_its_bitmap)
{
    const uint8_t bits[] = {0x05, 0x80};
    const struct control_durable durable = {
        .source = 1, .epoch = 4, .watermark = 640, .bitmap = {bits, sizeof bits}};
    struct wire_frame frame;
    ck_assert_int_eq(
        wire_pack_control(packers[PAYLOAD_STORED], CONTROL_DURABLE, run_id, &durable, &frame),
        STATUS_OK);
    enum control_type type;
    char got_id[RUN_ID_SIZE];
    union control control;
    ck_assert_int_eq(wire_unpack_control(unpacker, frame, &type, got_id, &control), STATUS_OK);
    ck_assert_int_eq(type, CONTROL_DURABLE);
    ck_assert_str_eq(got_id, run_id);
    ck_assert_uint_eq(control.durable.watermark, 640);
    ck_assert_uint_eq(control.durable.bitmap.size, 2);
    ck_assert_mem_eq(control.durable.bitmap.data, bits, sizeof bits);
}
END_TEST

START_TEST(texts_and_infinite_limits_arrive_in_a_pull)
{
    const struct control_pull pull = {.name = "spectra",
                                      .replica = 1,
                                      .from = 3,
                                      .until = 19,
                                      .modulus = 2,
                                      .remainder = 1,
                                      .mass = {-(double)INFINITY, 4600.0}};
    struct wire_frame frame;
    ck_assert_int_eq(
        wire_pack_control(packers[PAYLOAD_STORED], CONTROL_PULL, run_id, &pull, &frame), STATUS_OK);
    enum control_type type;
    char got_id[RUN_ID_SIZE];
    union control control;
    ck_assert_int_eq(wire_unpack_control(unpacker, frame, &type, got_id, &control), STATUS_OK);
    ck_assert_str_eq(control.pull.name, "spectra");
    ck_assert_uint_eq(control.pull.until, 19);
    ck_assert(control.pull.mass[0] < -1e308);
    ck_assert_double_eq(control.pull.mass[1], 4600.0);
}
END_TEST

START_TEST(the_scan_refuses_what_promises_more_than_it_holds)
{
    const uint8_t array_of_4g[] = {0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0};
    const uint8_t map_of_64k[] = {0xde, 0xff, 0xff};
    const uint8_t bin_too_short[] = {0xc4, 0x05, 1, 2, 3, 4};
    const uint8_t trailing[] = {0xc0, 0xc0};
    const uint8_t extension[] = {0xd4, 0x00, 0x00};
    const uint8_t unused[] = {0xc1};
    const uint8_t length_cut_off[] = {0xc6, 0x00, 0x00};
    ck_assert(!scan_msgpack(array_of_4g, sizeof array_of_4g));
    ck_assert(!scan_msgpack(map_of_64k, sizeof map_of_64k));
    ck_assert(!scan_msgpack(bin_too_short, sizeof bin_too_short));
    ck_assert(!scan_msgpack(trailing, sizeof trailing));
    ck_assert(!scan_msgpack(extension, sizeof extension));
    ck_assert(!scan_msgpack(unused, sizeof unused));
    ck_assert(!scan_msgpack(length_cut_off, sizeof length_cut_off));
    ck_assert(!scan_msgpack(trailing, 0));
    ck_assert(scan_msgpack(trailing, 1));
}
END_TEST

START_TEST(the_scan_allows_eight_levels_and_no_more)
{
    uint8_t nested[SCAN_DEPTH_MAX + 2];
    memset(nested, 0x91, sizeof nested); /* arrays of one */
    nested[SCAN_DEPTH_MAX] = 0xc0;
    ck_assert(scan_msgpack(nested, SCAN_DEPTH_MAX + 1));
    nested[SCAN_DEPTH_MAX] = 0x91;
    nested[SCAN_DEPTH_MAX + 1] = 0xc0;
    ck_assert(!scan_msgpack(nested, SCAN_DEPTH_MAX + 2));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("frame");
    tcase_add_checked_fixture(cases, open_wire, close_wire);
    tcase_add_loop_test(cases, a_batch_arrives_as_it_was_sent, PAYLOAD_STORED, PAYLOAD_LZ4 + 1);
    tcase_add_loop_test(cases, an_optional_array_that_is_not_known_stays_so, PAYLOAD_STORED,
                        PAYLOAD_LZ4 + 1);
    tcase_add_loop_test(cases, a_batch_without_events_has_arrays_of_no_elements, PAYLOAD_STORED,
                        PAYLOAD_LZ4 + 1);
    tcase_add_loop_test(cases, nested_counts_and_inline_arrays_arrive, PAYLOAD_STORED,
                        PAYLOAD_LZ4 + 1);
    tcase_add_loop_test(cases, a_model_arrives_with_its_map_and_is_held_against_the_image,
                        PAYLOAD_STORED, PAYLOAD_LZ4 + 1);
    tcase_add_test(cases, a_stored_payload_is_read_where_it_lies);
    tcase_add_loop_test(cases, a_record_of_several_blocks_arrives, PAYLOAD_STORED, PAYLOAD_LZ4 + 1);
    tcase_add_test(cases, a_stored_payload_is_a_frame_to_lz4);
    tcase_add_loop_test(cases, every_single_damaged_byte_is_noticed, PAYLOAD_STORED,
                        PAYLOAD_LZ4 + 1);
    tcase_add_loop_test(cases, a_truncated_or_longer_frame_is_refused, PAYLOAD_STORED,
                        PAYLOAD_LZ4 + 1);
    tcase_add_test(cases, a_raw_length_above_the_cap_is_refused_before_anything_is_allocated);
    tcase_add_test(cases, another_protocol_version_is_refused);
    tcase_add_loop_test(cases, a_message_read_as_another_type_is_refused, PAYLOAD_STORED,
                        PAYLOAD_LZ4 + 1);
    tcase_add_test(cases, a_control_arrives_with_its_bitmap);
    tcase_add_test(cases, texts_and_infinite_limits_arrive_in_a_pull);
    tcase_add_test(cases, the_scan_refuses_what_promises_more_than_it_holds);
    tcase_add_test(cases, the_scan_allows_eight_levels_and_no_more);
    return run_case(cases, "wire/frame");
}
