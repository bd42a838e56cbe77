#include "support/receipt_cases.h"

#include "support/format_pieces.h"

#define LOG_ID "50" X16("33")
#define SIGNATURE "5840" X32("77") X32("77")
#define FRONT(previous, time, first) "8801" ID("55") LOG_ID previous time first SIGNATURE
#define RECEIPT(previous, time, first, nodes) FRONT(previous, time, first) nodes
#define NODES_(nodes) RECEIPT("f6", "00", "00", nodes)

#define ALL(batch) "83" ID(batch) "f5 80"
#define SOME(batch, runs, refused) "83" ID(batch) runs refused
#define OUT(count) "82" count ID("ee")
#define REFUSED(index, reason) "83" index ID("44") reason

#define GOOD(name, hex)                                                                                                \
    { name, GOAT_OK, hex, NULL }
#define BAD(name, hex, words)                                                                                          \
    { name, GOAT_INVALID, hex, words }
#define LARGE(name, hex, words)                                                                                        \
    { name, GOAT_TOO_LARGE, hex, words }

const receipt_case receipt_cases[] = {
    GOOD("smallest receipt", NODES_("81" ALL("aa"))),
    {"newer format", GOAT_NEWER_FORMAT, "8102", "newer"},
    BAD("format 0", "8800" ID("55"), "begins with 1"),
    BAD("receipt of seven parts", "8701" ID("55"), "begins with 1"),
    BAD("receipt is a map", "a101f6", "not an array"),
    BAD("receipt of nothing", "", "cut short"),
    BAD("session of 31 bytes", "8801581f" X31("55") LOG_ID "f60000", "session"),
    BAD("log identity of 15 bytes", "8801" ID("55") "4f" X8("33") X4("33") "333333", "identity"),
    BAD("more bytes behind the receipt", NODES_("81" ALL("aa")) "00", "more bytes"),

    /* previous, time, first */
    GOOD("second receipt", RECEIPT(ID("11"), "1b0000019b765f2c00", "1903e8", "81" ALL("aa"))),
    GOOD("greatest time and first", RECEIPT("f6", "1b7fffffffffffffff", "1b7fffffffffffffff", "81" ALL("aa"))),
    BAD("receipt before it is a number", RECEIPT("00", "00", "00", "81" ALL("aa")), "before it"),
    BAD("receipt before it is short", RECEIPT("4111", "00", "00", "81" ALL("aa")), "before it"),
    BAD("time 2^63", RECEIPT("f6", "1b8000000000000000", "00", "81" ALL("aa")), "time"),
    BAD("time before 1970", RECEIPT("f6", "20", "00", "81" ALL("aa")), "time"),
    BAD("time not in its shortest form", RECEIPT("f6", "1800", "00", "81" ALL("aa")), "shortest"),
    BAD("first 2^63", RECEIPT("f6", "00", "1b8000000000000000", "81" ALL("aa")), "first entry"),
    BAD("signature of 63 bytes", "8801" ID("55") LOG_ID "f60000 583f" X63("77") "81" ALL("aa"), "signature"),

    /* leaves */
    GOOD("two leaves for one batch", NODES_("82" SOME("aa", "820001", "80") SOME("aa", "820101", "80"))),
    GOOD("nothing admitted", NODES_("81" SOME("aa", "80", "80"))),
    GOOD("several runs", NODES_("81" SOME("aa", "8600010202 19ffff 01", "80"))),
    GOOD("refused leaves", NODES_("81" SOME("aa", "82 00 02", "82" REFUSED("02", "03") REFUSED("18ff", "00")))),
    GOOD("refused between runs", NODES_("81" SOME("aa", "84 00 02 03 01", "81" REFUSED("02", "1a7fffffff")))),
    GOOD("all refused", NODES_("81" SOME("aa", "80", "81" REFUSED("00", "01")))),
    BAD("no leaves", NODES_("80"), "no leaves"),
    BAD("leaves are a map", NODES_("a0"), "not an array"),
    BAD("a leaf is bytes", NODES_("81" ID("aa") X4("00")), "not an array"),
    BAD("a leaf of four parts",
        NODES_("81"
               "84" ID("aa") "f58080"),
        "neither two parts nor three"),
    BAD("batch of 31 bytes",
        NODES_("81 83 581f" X31("aa") "f580"
                                      "00"),
        "id of a batch"),
    BAD("admitted is false", NODES_("81" SOME("aa", "f4", "80")), "admitted"),
    BAD("admitted is a number", NODES_("81" SOME("aa", "01", "80")), "admitted"),
    BAD("runs of an odd number of numbers", NODES_("81" SOME("aa", "83000102", "80")), "pairs"),
    BAD("an empty run", NODES_("81" SOME("aa", "820000", "80")), "no batch has"),
    BAD("a run beyond all leaves", NODES_("81" SOME("aa", "82 19ffff 02", "80")), "no batch has"),
    BAD("a run that begins beyond them", NODES_("81" SOME("aa", "82 1a00010000 01", "80")), "no batch has"),
    BAD("a run whose count is huge", NODES_("81" SOME("aa", "82 01 1bffffffffffffffff", "80")), "no batch has"),
    BAD("runs that touch", NODES_("81" SOME("aa", "8400010101", "80")), "touch"),
    BAD("runs that descend", NODES_("81" SOME("aa", "8405010101", "80")), "ascending"),
    BAD("runs of texts", NODES_("81" SOME("aa", "82 6161 01", "80")), "numbers"),
    BAD("refused is null", NODES_("81" SOME("aa", "820001", "f6")), "refused"),
    BAD("all admitted and one refused", NODES_("81" SOME("aa", "f5", "81" REFUSED("00", "01"))), "all was admitted"),
    BAD("a leaf admitted and refused", NODES_("81" SOME("aa", "820002", "81" REFUSED("01", "01"))),
        "admitted and refused"),
    BAD("refused twice", NODES_("81" SOME("aa", "80", "82" REFUSED("01", "01") REFUSED("01", "01"))), "ascending"),
    BAD("refused leaves descend", NODES_("81" SOME("aa", "80", "82" REFUSED("02", "01") REFUSED("01", "01"))),
        "ascending"),
    BAD("refused beyond all leaves", NODES_("81" SOME("aa", "80", "81" REFUSED("1a00010000", "01"))), "ascending"),
    BAD("refused without a reason", NODES_("81" SOME("aa", "80", "81 82 00" ID("44") "00")), "three parts"),
    BAD("a reason too large", NODES_("81" SOME("aa", "80", "81" REFUSED("00", "1a80000000"))), "too large"),
    BAD("refused for a text", NODES_("81" SOME("aa", "80", "81" REFUSED("00", "6161"))), "reason"),

    /* subtrees that are left out */
    GOOD("all left out", NODES_("81" OUT("190400"))),
    GOOD("the left half", NODES_("82" OUT("02") ALL("aa"))),
    GOOD("the right edge", NODES_("82" ALL("aa") OUT("01"))),
    GOOD("neighbours that are no siblings", NODES_("84" ALL("aa") OUT("01") OUT("01") ALL("ab"))),
    BAD("nothing left out", NODES_("82" ALL("aa") OUT("00")), "without leaves"),
    BAD("siblings left out apart", NODES_("82" OUT("01") OUT("01")), "not as one"),
    BAD("a subtree that is none", NODES_("82" ALL("aa") OUT("02")), "none of the tree's"),
    BAD("a subtree of three at the left", NODES_("82" OUT("03") ALL("aa")), "none of the tree's"),
    BAD("a subtree with a short hash", NODES_("81 82 02 581f" X31("ee") "00"), "hash"),
    LARGE("a subtree of too many", NODES_("81" OUT("191001")), "4096"),
    LARGE("subtrees of too many together", NODES_("82" OUT("191000") ALL("aa")), "4096"),
    BAD("too many leaves announced", NODES_("991001" ALL("aa")), "cut short"),
    BAD("more leaves announced than there are", NODES_("981e" ALL("aa")), "cut short"),
    BAD("a leaf cut short", NODES_("81 83" ID("aa")), "cut short"),
};
const size_t receipt_case_count = sizeof receipt_cases / sizeof *receipt_cases;
