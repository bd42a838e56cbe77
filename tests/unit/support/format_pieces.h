/* Pieces of commits and frames as hexadecimal text, to be put together by writing them one behind the other. */
#ifndef FORMAT_PIECES_H
#define FORMAT_PIECES_H

#define X4(b) b b b b
#define X8(b) X4(b) X4(b)
#define X16(b) X8(b) X8(b)
#define X31(b) X16(b) X8(b) X4(b) b b b
#define X32(b) X16(b) X16(b)
#define X63(b) X32(b) X31(b)

#define ID(b) "5820" X32(b)

/* The parts of a header with their keys, and the whole of 24 bytes. */
#define ITEM "00 6161"
#define TIME "02 1a00010000"
#define SCHEMA "03 83 6174 01 480102030405060708"
#define HEADER "a3" ITEM TIME SCHEMA
#define HEADER_WITH_PARENT "a4" ITEM "01 81" ID("11") TIME SCHEMA
#define PAYLOAD "a100a0"

#define LEAF(salt) "582b" X16(salt) HEADER PAYLOAD
#define PRUNED "8302" ID("cc") "5818" HEADER
#define ELIDED(reason, count) "83" reason count ID("ee")

#define FRAME(seq, prev, skip, groups, flags, size, root, nodes)                                                       \
    "8b01" ID("55") seq prev skip groups flags size root "5840" X32("77") X32("77") nodes

/* A frame of one leaf as the first batch of its session, in all but one thing as it should be. */
#define CHAIN(seq, prev, skip) FRAME(seq, prev, skip, "80", "00", "01", "f6", "81" LEAF("aa"))
#define NODES(size, root, nodes) FRAME("01", "80", "f6", "80", "00", size, root, nodes)
#define FOUR_LEAVES "84" LEAF("aa") LEAF("ab") LEAF("ac") LEAF("ad")
#define GROUPS(groups) FRAME("01", "80", "f6", groups, "00", "04", "f6", FOUR_LEAVES)

#endif
