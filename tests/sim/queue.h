/* What is to happen, in order of virtual time; of two things at one time the one that was put in first comes first. */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum sim_event_kind {
    SIM_EVENT_PUMP,    /* a peer has something to do; `number`: the time, so that one that was put off is told apart */
    SIM_EVENT_START,   /* a peer's machine comes back */
    SIM_EVENT_FREE,    /* a full disk has room again */
    SIM_EVENT_CONNECT, /* a client tries to reach the server */
    SIM_EVENT_ARRIVE,  /* a packet is there; `of`: the connection, `number`: the direction */
    SIM_EVENT_BREAK,   /* one end of a connection learns that it is gone; as above */
} sim_event_kind;

typedef struct sim_event {
    uint64_t at_us;
    uint64_t order;
    sim_event_kind kind;
    uint32_t peer;
    uint64_t number;
    void *of;
} sim_event;

typedef struct sim_queue {
    sim_event *heap;
    size_t count, capacity;
    uint64_t order;
} sim_queue;

void sim_queue_free(sim_queue *queue);
void sim_queue_put(sim_queue *queue, sim_event event); /* `order` is set here */
/* The time of the next event; UINT64_MAX: there is none. */
uint64_t sim_queue_next(const sim_queue *queue);
sim_event sim_queue_take(sim_queue *queue); /* there is one */

#endif
