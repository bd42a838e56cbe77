#include "support/sync_vectors.h"

#include "support/commit_vectors.h"
#include "support/test.h"
#include "sync/message.h"
#include "value/build.h"

const sync_vector_file sync_vector_files[] = {
    {"messages.json", make_message_vectors},
    {"invalid.json", make_invalid_messages},
    {"filters.json", make_filters},
    {"transcripts.json", make_transcripts},
};
const size_t sync_vector_file_count = sizeof sync_vector_files / sizeof *sync_vector_files;

static uint8_t filled[256]; /* 0, 1, 2, … */

static const gt_id *an_id(size_t from) { return (const gt_id *)(const void *)(filled + from); }

/* Ids as they lie in CBOR. */
static gt_ids some_ids(gt_buf *room, uint32_t count) {
    gt_buf_clear(room);
    for (uint32_t i = 0; i < count; i++) gt_write_bytes(room, gt_bytes_of(filled + 3 * i, GT_ID_SIZE));
    return (gt_ids){.data = room->data, .count = count};
}

static void add(json_t *cases, const char *name, const gt_message *message) {
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    gt_message_write(&out, message);
    set_hex(new_case(cases, name), "bytes", gt_buf_bytes(&out));
    gt_buf_free(&out);
}

static void add_greeting(json_t *cases) {
    gt_message m = {.kind = GT_MESSAGE_HELLO};
    m.as.hello = (gt_hello){.version = 1,
                            .public_key = filled + 1,
                            .nonce = filled + 2,
                            .wall_ms = 1700000000000,
                            .window = GT_SYNC_WINDOW_MIN};
    add(cases, "hello of a client on first use", &m);
    m.as.hello.network = an_id(5);
    add(cases, "hello of a client", &m);
    m.as.hello.role = 1;
    m.as.hello.root_key = filled + 6;
    m.as.hello.window = GT_SYNC_WINDOW_MAX;
    m.as.hello.certificate = gt_bytes_of(filled, 100);
    add(cases, "hello of a server", &m);
    m = (gt_message){.kind = GT_MESSAGE_PROOF, .as.proof.signature = filled};
    add(cases, "proof", &m);
    m = (gt_message){.kind = GT_MESSAGE_BYE, .as.close = {GOAT_UNTRUSTED, gt_bytes_text("another network")}};
    add(cases, "bye", &m);
    m = (gt_message){.kind = GT_MESSAGE_CERTIFY};
    add(cases, "certify", &m);
}

static void add_channels(json_t *cases) {
    gt_bytes paths[] = {gt_bytes_text("/data/goats"), gt_bytes_text("/sys/schemas")};
    gt_message m = {.kind = GT_MESSAGE_OPEN, .channel = 1};
    m.as.open.path = paths[0];
    add(cases, "open", &m);
    m.channel = GT_SYNC_CHANNELS_MAX;
    m.as.open.flags = GT_OPEN_CREATE | GT_OPEN_COMPARE;
    m.as.open.count = 63436;
    m.as.open.point = gt_bytes_of(filled, GT_SYNC_POINT_SIZE);
    add(cases, "open with everything", &m);
    m = (gt_message){.kind = GT_MESSAGE_OPENED, .channel = 3, .as.opened = {GT_HOW_COMPARE, 1 << 20, 1000000}};
    add(cases, "opened", &m);
    m = (gt_message){.kind = GT_MESSAGE_CLOSE, .channel = 3, .as.close = {GOAT_NOT_FOUND, gt_bytes_text("")}};
    add(cases, "close", &m);
    m = (gt_message){.kind = GT_MESSAGE_LIST};
    add(cases, "list", &m);
    m = (gt_message){.kind = GT_MESSAGE_REPOS, .as.repos = {paths, 2, true}};
    add(cases, "repos", &m);
    m.as.repos.count = 0;
    m.as.repos.more = false;
    add(cases, "no repos", &m);
    m = (gt_message){.kind = GT_MESSAGE_AGAIN, .channel = 24};
    add(cases, "again", &m);
}

static void add_data(json_t *cases) {
    gt_buf room;
    gt_buf_init(&room, &gt_alloc_system);
    gt_data_record records[] = {
        {false, gt_bytes_of(filled, 30)}, {true, gt_bytes_of(filled, 200)}, {false, {filled, 0}}};
    gt_message m = {.kind = GT_MESSAGE_DATA, .channel = 1, .as.data = {GT_DATA_ACK, records, 3}};
    add(cases, "data", &m);
    m.as.data.flags = GT_DATA_END;
    m.as.data.count = 0;
    add(cases, "data that only ends", &m);
    m = (gt_message){.kind = GT_MESSAGE_ACK, .channel = 1, .as.ack = {GOAT_DURABLE_DISK, some_ids(&room, 2)}};
    add(cases, "ack", &m);
    m = (gt_message){.kind = GT_MESSAGE_WANT, .channel = 1, .as.want = {some_ids(&room, 3)}};
    add(cases, "want", &m);
    m = (gt_message){.kind = GT_MESSAGE_LOST, .channel = 1, .as.lost = {some_ids(&room, 1)}};
    add(cases, "lost", &m);
    m = (gt_message){.kind = GT_MESSAGE_REFUSE, .channel = 1};
    m.as.refuse.batch = an_id(9);
    m.as.refuse.status = GOAT_INVALID;
    m.as.refuse.text = gt_bytes_text("the edit of “size” is not a number");
    add(cases, "refuse", &m);
    m = (gt_message){.kind = GT_MESSAGE_POINT, .channel = 1};
    m.as.point.behind = 7;
    m.as.point.point = gt_bytes_of(filled, GT_SYNC_POINT_SIZE);
    add(cases, "point", &m);
    m = (gt_message){.kind = GT_MESSAGE_CREDIT, .as.credit.bytes = 1 << 20};
    add(cases, "credit", &m);
    m = (gt_message){.kind = GT_MESSAGE_COMPARE, .channel = 1};
    m.as.compare.run = 1;
    m.as.compare.count = 12;
    m.as.compare.digest = filled;
    m.as.compare.filter = (gt_bloom_part){filled, 128, 16, gt_bytes_of(filled, 16)};
    add(cases, "compare with a filter", &m);
    m.as.compare.step = GT_STEP_OVER;
    m.as.compare.filter = (gt_bloom_part){0};
    add(cases, "compare that is over", &m);
    gt_buf_free(&room);
}

json_t *make_message_vectors(void) {
    json_t *file = json_object(), *cases = json_array();
    for (size_t i = 0; i < sizeof filled; i++) filled[i] = (uint8_t)i;
    set_text(file, "about", "One message of each kind and shape, core/sync/PROTOCOL.md section 2");
    assert_int_equal(json_object_set_new(file, "cases", cases), 0);
    add_greeting(cases);
    add_channels(cases);
    add_data(cases);
    return file;
}
