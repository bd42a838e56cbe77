/* The lws context of a loop, and what has to be done to the process around making one. */
#ifndef GT_NET_CONTEXT_H
#define GT_NET_CONTEXT_H

#include "net/loop.h"

/* No pings and no hanging up by lws: the loop does that itself, in groups (connection.c). */
extern const lws_retry_bo_t gt_context_no_idle_policy;

/* The context and its one vhost, which does not listen. */
goat_status gt_context_new(gt_loop *loop, struct lws_context **context, struct lws_vhost **vhost, gt_diag *diag);
void gt_context_destroy(struct lws_context *context); /* NULL is accepted */

/* Raises the process's limit of open files so that `connections` more fit, as far as the machine lets it. Gives how
 * many fit. */
uint32_t gt_context_make_room(uint32_t connections);

#endif
