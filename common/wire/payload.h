/* SPDX-License-Identifier: GPL-3.0-or-later */
/* payload: the bytes of a record as one LZ4 frame (with its content size), and back.
 * A frame is compressed, or stored: its blocks hold the bytes as they are, which the LZ4 frame
 * format (github.com/lz4/lz4, doc/lz4_Frame_format.md, version 1.6.2) marks in their sizes. So any
 * LZ4 library reads what comes along any edge, and an edge that gains nothing by compression pays
 * nothing for it: a stored frame of one block is filled and read where it lies. */
#ifndef COMMON_WIRE_PAYLOAD_H
#define COMMON_WIRE_PAYLOAD_H

#include <lz4frame.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

/* In the order of the choices of stages.NAME.compression. */
enum payload_coding { PAYLOAD_STORED, PAYLOAD_LZ4 };

/* Most bytes of the frame of at most `raw` > 0 bytes. */
size_t payload_bound(enum payload_coding coding, size_t raw);
/* Where a stored frame's bytes are to be put for payload_store if there may be up to `raw`. */
size_t payload_offset(size_t raw);
/* Makes a stored frame of `raw` bytes that lie at `offset` behind the start of `frame`; returns its
 * size. */
size_t payload_store(uint8_t frame[], size_t offset, size_t raw);
/* Compresses into frame[room], room at least the bound (independent blocks, content checksum);
 * returns the size, 0 if LZ4 is out of memory. */
size_t payload_compress(size_t raw, const uint8_t bytes[], size_t room, uint8_t frame[]);

/* The bytes inside a stored frame of exactly one block and `raw` bytes; NULL if the frame is
 * another, or no frame. */
const uint8_t *payload_inside(size_t size, const uint8_t frame[], size_t raw);
/* Decodes any frame into bytes[raw]. NULL, or what is wrong with it. */
const char *payload_decode(LZ4F_dctx *lz4, size_t size, const uint8_t frame[], size_t raw,
                           uint8_t bytes[]);

#endif
