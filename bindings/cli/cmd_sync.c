/* goat sync: a replica and its server exchange what they have; with --watch, for as long as it runs. */
#include <string.h>

#include "commands.h"
#include "database.h"
#include "follow.h"
#include "output.h"
#include "watch.h"

static int exchange(follow *f, watch **w) {
    cli *run = f->run;
    bool all = f->remote.repo_count == 0;
    int code = follow_count(f);
    if (code == CLI_DONE && cli_has(run, "watch")) {
        f->forever = true;
        code = watch_begin(w, f);
    }
    if (code == CLI_DONE) {
        code = follow_connect(f, GOAT_SYNC_STORED | (all ? GOAT_SYNC_ALL : 0));
    }
    if (code != CLI_DONE) {
        return code;
    }
    progress_begin(&f->progress, "commits", *w != NULL);
    code = follow_until_even(f);
    int written = follow_remember(f, code);
    code = code == CLI_DONE ? written : code;
    if (code == CLI_DONE) {
        code = f->changed != NULL ? f->changed(f) : CLI_DONE;
        follow_summary(f, NULL);
        out_flush();
    }
    return code;
}

int cmd_sync(cli *run) {
    const char *url = cli_value(run, "url");
    follow f;
    watch *w = NULL;
    int code = follow_begin(&f, run, run->operands[0]);
    if (code != CLI_DONE) {
        return code;
    }
    if (url != NULL) {
        remote_set(&f.remote.url, url);
    }
    code = cli_open(run, false);
    if (code == CLI_DONE && f.remote.url == NULL) {
        cli_error(run, "%s: no server is known (--url says where it is; goat clone remembers it when it is through)",
                  f.db);
        code = CLI_NO;
    }
    if (code == CLI_DONE) {
        code = exchange(&f, &w);
    }
    if (code == CLI_DONE && w != NULL) {
        code = watch_run(w);
        follow_remember(&f, CLI_DONE); /* until when both were the same */
    }
    if (w != NULL && code > CLI_SIGNAL) {
        code = CLI_DONE; /* a signal is how a watch ends */
    }
    code = follow_disconnect(&f, code);
    watch_end(w);
    code = cli_close(run, code);
    follow_end(&f);
    return code;
}
