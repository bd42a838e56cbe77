#define _GNU_SOURCE
#include "net/words.h"

#include <string.h>

const char *gt_net_words(int error, char words[GT_WORDS_MAX]) {
    return strerror_r(error, words, GT_WORDS_MAX); /* GNU's: the words may lie elsewhere */
}
