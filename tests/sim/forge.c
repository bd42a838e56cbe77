/* Batches that look right and are not: signed by nobody who may, altered, out of their chain, out of their place, or
 * against a rule. The one who sends them may be a client with a certificate, so his own key is among what he has. */
#include "db/internal.h"
#include "enemy.h"
#include "network.h"
#include "peer.h"
#include "repo/tables.h"
#include "workload.h"

typedef enum forgery {
    BY_STRANGER,      /* whom nobody has certified */
    IN_ANOTHERS_NAME, /* the session of a peer, the signature of a stranger */
    ALTERED,          /* a batch that is good but for a few bits */
    FROM_NOWHERE,     /* follows a batch that there is not */
    OUT_OF_ORDER,     /* its number does not follow */
    OF_THE_SYSTEM,    /* a client writes to /sys */
    MISPLACED,        /* a good batch of another repository */
    TOO_EARLY,        /* a commit before its parent */
    TOO_LATE,         /* a client's commit of the year 2038, which would win until then */
    OF_A_WRONG_TYPE,  /* an edit that does not fit its field */
    OF_ANOTHER_NETWORK,
    FORGERIES
} forgery;

typedef struct workshop {
    sim_connection *connection;
    sim_peer *sender;      /* in whose place he is */
    gt_database *database; /* of the sender */
    gt_hasher *hasher;
    gt_sim_random *random;
    uint32_t direction;
    gt_mount *mount; /* of the repository that the batch is for */
    uint32_t channel;
    gt_arena arena;
} workshop;

/* ---- channels ---- */

/* What the client has opened on a connection, from what went over the line: the channel of a repository; 0. */
static uint32_t find_channel(const sim_connection *connection, gt_bytes path, gt_arena *arena) {
    uint32_t found = 0;
    for (size_t at = 0; at < connection->script_len;) {
        size_t len = gt_get_u32(connection->script + at);
        gt_bytes packet = gt_bytes_of(connection->script + at + 4, len);
        gt_message message;
        while (packet.len > 0 && gt_message_read(&packet, arena, &message, NULL) == GOAT_OK) {
            bool opens = message.kind == GT_MESSAGE_OPEN && gt_bytes_equal(message.as.open.path, path);
            if (opens) found = message.channel;
        }
        at += len + 4;
    }
    return found;
}

static bool choose_mount(workshop *shop, bool of_system) {
    uint64_t count = 0;
    for (gt_mount *mount = shop->database->mounts; mount != NULL; mount = mount->next) {
        bool is_system = mount->is_sessions || mount->is_schemas;
        if (is_system != of_system || gt_repo_get_phase(mount->repo) != GT_REPO_OPEN) continue;
        uint32_t channel = find_channel(shop->connection, gt_repo_path(mount->repo), &shop->arena);
        if (channel == 0 || gt_sim_random_below(shop->random, ++count) != 0) continue;
        shop->mount = mount;
        shop->channel = channel;
    }
    return shop->mount != NULL;
}

/* ---- making ---- */

typedef struct draft {
    gt_identity key;
    gt_id session;
    gt_id prev[GT_PREV_MAX], skip;
    gt_chain_place chain;
    gt_place place;
    gt_id parent;
    gt_commit_draft commit;
    gt_buf delta;
} draft;

static void fill(gt_sim_random *random, uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) bytes[i] = (uint8_t)gt_sim_random_u64(random);
}

/* A good batch of the sender's, which may then be spoilt. False: there is none to be made now. */
static bool begin(workshop *shop, draft *made) {
    gt_database *database = shop->database;
    const gt_schema *schema = gt_registry_find(database->schemas, gt_bytes_text("note"), 1);
    sim_pending ignored;
    if (schema == NULL) return false;
    *made = (draft){.key = database->own, .session = database->own.session};
    made->place = (gt_place){database->network, gt_repo_path(shop->mount->repo)};
    if (gt_chain_next(shop->mount->repo, &made->session, made->prev, &made->skip, &made->chain, NULL) != GOAT_OK) {
        return false;
    }
    gt_buf_init(&made->delta, &gt_alloc_system);
    gt_write_map_head(&made->delta, 1);
    gt_write_text(&made->delta, gt_bytes_text("s"));
    sim_write_value(SIM_STRING, UINT64_C(1) << 50, &made->delta, &ignored);
    made->commit = (gt_commit_draft){
        .key = gt_bytes_text("forged"),
        .time = gt_time_of_ms(INT64_C(1750000000000)),
        .ns = gt_schema_ns(schema),
        .version = 1,
        .schema_hash = gt_schema_hash(schema),
        .delta = gt_buf_bytes(&made->delta),
    };
    return true;
}

static void sign(workshop *shop, draft *made, gt_buf *frame) {
    gt_batch_draft batch;
    uint8_t salt[GT_SALT_SIZE];
    gt_id id;
    fill(shop->random, salt, sizeof(salt));
    gt_batch_draft_init(&batch, &gt_alloc_system);
    gt_batch_draft_add(&batch, shop->hasher, &made->session, salt, &made->commit, NULL, NULL);
    gt_batch_draft_finish(&batch, shop->hasher, &made->place, &made->session, &made->chain, &made->key.secret, frame,
                          &id, NULL);
    gt_batch_draft_free(&batch);
    gt_buf_free(&made->delta);
}

static void become_stranger(workshop *shop, draft *made, bool in_name_too) {
    uint8_t seed[GT_SEED_SIZE];
    fill(shop->random, seed, sizeof(seed));
    gt_identity_from_seed(shop->hasher, seed, &made->key);
    if (!in_name_too) return;
    made->session = made->key.session;
    made->chain = (gt_chain_place){.seq = 1};
}

/* A commit on an item of the repository, as if made before there was one. */
static bool go_back_in_time(workshop *shop, draft *made) {
    gt_repo *repo = shop->mount->repo;
    gt_buf heads;
    gt_buf_init(&heads, &gt_alloc_system);
    bool any = gt_repo_item_count(repo) > 0 && gt_repo_heads(repo, 0, &heads, NULL) == GOAT_OK && heads.len > 0;
    if (any) {
        memcpy(made->parent.bytes, heads.data, GT_ID_SIZE);
        made->commit.key = gt_repo_key(repo, 0);
        made->commit.parents = &made->parent;
        made->commit.parent_count = 1;
        made->commit.time = 1;
    }
    gt_buf_free(&heads);
    return any;
}

static void write_wrong_type(draft *made) {
    gt_buf_clear(&made->delta);
    gt_write_map_head(&made->delta, 1);
    gt_write_text(&made->delta, gt_bytes_text("s"));
    gt_write_int(&made->delta, 1);
    made->commit.delta = gt_buf_bytes(&made->delta);
}

static bool spoil(workshop *shop, draft *made, forgery kind) {
    switch (kind) {
    case BY_STRANGER: become_stranger(shop, made, true); return true;
    case IN_ANOTHERS_NAME: become_stranger(shop, made, false); return true;
    case FROM_NOWHERE:
        fill(shop->random, made->prev[0].bytes, GT_ID_SIZE);
        made->chain = (gt_chain_place){.seq = 9, .prev = made->prev, .prev_count = 1};
        return true;
    case OUT_OF_ORDER: /* an odd number has no skip */
        made->chain.seq += made->chain.seq % 2 == 0 ? 3 : 2;
        made->chain.skip = NULL;
        return made->chain.prev_count > 0;
    case OF_THE_SYSTEM: return true;
    case TOO_EARLY: return go_back_in_time(shop, made);
    case TOO_LATE: made->commit.time = gt_time_of_ms(INT64_C(2147483647000)); return true;
    case OF_A_WRONG_TYPE: write_wrong_type(made); return true;
    default: made->place.network.bytes[0] ^= 1; return true;
    }
}

static bool make(workshop *shop, forgery kind, gt_buf *frame) {
    draft made;
    if (!choose_mount(shop, kind == OF_THE_SYSTEM) || !begin(shop, &made)) return false;
    if (spoil(shop, &made, kind)) sign(shop, &made, frame);
    gt_buf_free(&made.delta);
    return frame->len > 0;
}

/* ---- taking what there is ---- */

static bool copy_frame(workshop *shop, gt_mount *from, gt_buf *frame) {
    uint32_t count = gt_repo_record_count(from->repo);
    if (count == 0) return false;
    gt_held held;
    gt_repo_held(from->repo, (uint32_t)gt_sim_random_below(shop->random, count), &held);
    if (held.frame.data == NULL) return false;
    gt_buf_append(frame, held.frame.data, held.frame.len);
    return true;
}

static bool alter(workshop *shop, gt_buf *frame) {
    if (!choose_mount(shop, sim_once_in(shop->random, 3)) || !copy_frame(shop, shop->mount, frame)) return false;
    uint64_t bit = gt_sim_random_below(shop->random, (uint64_t)frame->len * 8);
    frame->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    return true;
}

static bool misplace(workshop *shop, gt_buf *frame) {
    if (!choose_mount(shop, false)) return false;
    for (gt_mount *mount = shop->database->mounts; mount != NULL; mount = mount->next) {
        if (mount == shop->mount || gt_repo_get_phase(mount->repo) != GT_REPO_OPEN) continue;
        if (copy_frame(shop, mount, frame)) return true;
    }
    return false;
}

void sim_forge(sim_connection *connection, gt_sim_random *random) {
    workshop shop = {.connection = connection, .random = random};
    forgery kind = (forgery)gt_sim_random_below(random, FORGERIES);
    gt_buf frame, packet;
    bool by_client = kind == OF_THE_SYSTEM || kind == OF_A_WRONG_TYPE || kind == TOO_LATE;
    bool from_client = by_client || sim_once_in(random, 2);
    shop.direction = from_client ? 0 : 1;
    shop.sender = connection->ends[shop.direction].peer;
    shop.database = gt_db_database(sim_peer_db(shop.sender));
    shop.hasher = shop.sender->world->hasher;
    gt_arena_init(&shop.arena, &gt_alloc_system);
    gt_buf_init(&frame, &gt_alloc_system);
    gt_buf_init(&packet, &gt_alloc_system);
    bool made = kind == ALTERED     ? alter(&shop, &frame)
                : kind == MISPLACED ? misplace(&shop, &frame)
                                    : make(&shop, kind, &frame);
    if (made) {
        sim_say(shop.sender->world, shop.sender->index, "somebody sends forgery %d on connection %u", kind,
                connection->number);
        gt_message_data_head(&packet, shop.channel, GT_DATA_ACK, 1);
        gt_write_bytes(&packet, gt_buf_bytes(&frame));
        connection->is_tampered = true;
        sim_network_put(connection, shop.direction, gt_buf_bytes(&packet));
    }
    gt_buf_free(&packet);
    gt_buf_free(&frame);
    gt_arena_free(&shop.arena);
}
