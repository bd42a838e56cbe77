/* Which repositories there are: LIST and REPOS (PROTOCOL.md 4.5). Who has asked once is told of those that are made later. */
#include "sync/internal.h"

enum { UNREAD_MAX = 64 * 1024 /* bytes of answers that wait: no more is added one by one */ };

const gt_id gt_list_id = {{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                           255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}};

void gt_sync_ask_list(gt_sync *sync) {
    sync->asks_list = true;
    gt_sync_due(sync);
}

/* The paths, each with a NUL behind it, as REPOS of at most GT_SYNC_REPOS_MAX. */
static void send_repos(gt_sync *sync, gt_bytes paths) {
    gt_bytes list[GT_SYNC_REPOS_MAX];
    gt_message message = {.kind = GT_MESSAGE_REPOS};
    message.as.repos.paths = list;
    do {
        uint32_t count = 0;
        while (paths.len > 0 && count < GT_SYNC_REPOS_MAX) {
            size_t len = strlen((const char *)paths.data);
            list[count++] = gt_bytes_of(paths.data, len);
            paths = gt_bytes_behind(paths, len + 1);
        }
        message.as.repos.count = count;
        message.as.repos.more = paths.len > 0;
        gt_message_write(&sync->out, &message);
    } while (paths.len > 0);
}

/* An empty list would say that there is nothing to be had. */
static void refuse_list(gt_sync *sync, const gt_diag *why) {
    gt_message message = {.kind = GT_MESSAGE_REFUSE};
    message.as.refuse.batch = &gt_list_id;
    message.as.refuse.status = why->status;
    message.as.refuse.text = gt_bytes_text(why->message);
    gt_message_write(&sync->out, &message);
}

void gt_list_step(gt_sync *sync) {
    gt_diag why;
    gt_buf paths;
    if (sync->asks_list && sync->role == GT_SYNC_CLIENT) {
        gt_message message = {.kind = GT_MESSAGE_LIST};
        gt_message_write(&sync->out, &message);
        sync->asks_list = false;
        sync->list_followed = true;
    }
    if (!sync->lists || sync->now_us < sync->list_us) return;
    gt_diag_init(&why);
    gt_buf_init(&paths, sync->host.alloc);
    goat_status status = sync->host.list(sync->host.context, &paths, &why);
    if (status == GOAT_LOADING) {
        sync->list_us = sync->now_us + GT_LOADING_US;
    } else {
        sync->lists = false;
        if (status == GOAT_OK && gt_buf_failed(&paths)) status = gt_no_memory(&why);
        if (status == GOAT_OK) {
            send_repos(sync, gt_buf_bytes(&paths));
        } else {
            refuse_list(sync, &why);
        }
    }
    gt_buf_free(&paths);
}

/* Whoever leaves answers unread is given the whole list instead, when he has read them. */
void gt_sync_repo_made(gt_sync *sync, gt_bytes path) {
    gt_message message = {.kind = GT_MESSAGE_REPOS};
    if (sync->role != GT_SYNC_SERVER || sync->phase != GT_PHASE_GREETED || !sync->list_followed) return;
    if (gt_trust_may(sync->host.keyring, GT_MAY_READ, path, &sync->peer.session, NULL) != GOAT_OK) return;
    if (sync->out.len > UNREAD_MAX) {
        sync->lists = true;
    } else if (!sync->lists) { /* else it is in what is about to be said */
        message.as.repos.paths = &path;
        message.as.repos.count = 1;
        gt_message_write(&sync->out, &message);
    }
    gt_sync_due(sync);
}

/* ---- the client ---- */

goat_status gt_list_take(gt_sync *sync, const gt_message *message, gt_diag *diag) {
    if (!sync->list_followed) return gt_fail(diag, GOAT_INVALID, "a list that was not asked for");
    gt_buf paths;
    gt_buf_init(&paths, sync->host.alloc);
    for (uint32_t i = 0; i < message->as.repos.count; i++) {
        gt_buf_append(&paths, message->as.repos.paths[i].data, message->as.repos.paths[i].len);
        gt_buf_append_byte(&paths, 0);
    }
    goat_status status = gt_buf_failed(&paths) ? gt_no_memory(diag) : GOAT_OK;
    gt_sync_event event = {.kind = GT_SYNC_LISTED, .paths = gt_buf_bytes(&paths), .equal = !message->as.repos.more};
    if (status == GOAT_OK && sync->host.event != NULL) sync->host.event(sync->host.context, &event);
    gt_buf_free(&paths);
    return status;
}

void gt_list_take_refusal(gt_sync *sync, const gt_diag *why) {
    gt_sync_event event = {.kind = GT_SYNC_LISTED, .diag = why, .equal = true};
    if (sync->list_followed && sync->host.event != NULL) sync->host.event(sync->host.context, &event);
}
