/* goat digest: a fingerprint of what a repository holds. */
#include <inttypes.h>
#include <string.h>

#include "cbor.h"
#include "commands.h"
#include "database.h"
#include "output.h"

static void print_digest(const cli *run, cbor digest) {
    bool json = cli_has(run, "json");
    cbor fingerprint = cbor_content(cbor_member(digest, "fingerprint")),
         views = cbor_content(cbor_member(digest, "views"));
    out_print(json ? "{\"entries\":%" PRIu64 ",\"fingerprint\":\"" : "%" PRIu64 " ",
              cbor_uint(cbor_member(digest, "entries")));
    out_hex(fingerprint.data, fingerprint.len);
    out_text(json ? "\",\"views\":\"" : " ");
    out_hex(views.data, views.len);
    out_text(json ? "\"}\n" : "\n");
}

int cmd_digest(cli *run) {
    goat_buf digest = {0};
    goat_error *error = NULL;
    int code = cli_open(run, true);
    if (code == CLI_DONE) {
        code = cli_open_repo(run, run->operands[1], CLI_REPO_MUST_EXIST);
    }
    if (code == CLI_DONE && goat_repo_digest(run->repo, &digest, NULL, &error) != GOAT_OK) {
        code = cli_fail(run, run->operands[1], error);
    }
    if (code == CLI_DONE) {
        print_digest(run, cbor_of(&digest));
    }
    goat_buf_free(&digest);
    return cli_close(run, code);
}
