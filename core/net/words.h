/* The system's words for an error number, for messages. */
#ifndef GT_NET_WORDS_H
#define GT_NET_WORDS_H

enum { GT_WORDS_MAX = 96 };

const char *gt_net_words(int error, char words[GT_WORDS_MAX]);

#endif
