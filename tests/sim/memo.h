/* Signatures are what takes time in a network of many peers, each of which checks each batch. Whether a signature holds is
 * a function of its bytes alone, so in one process it is computed once: the linker puts this in the place of
 * gt_verify (-Wl,--wrap), and the first answer is given to whoever asks again with the same bytes. */
#ifndef SIM_MEMO_H
#define SIM_MEMO_H

/* A run begins or ends: nothing is known. */
void sim_memo_clear(void);

#endif
