/* The table of commands. What changes here changes in man/ and completion/ too; tests/e2e compares them. */
#include "commands.h"

#include <stddef.h>

#define JSON(what)                                                                                                     \
    { "json", NULL, what }
#define END                                                                                                            \
    { NULL, NULL, NULL }

static const cli_option init_options[] = {JSON("print path, network, root and session as an object"), END};
static const cli_option schema_options[] = {
    {"check", NULL, "print what would change, and register nothing"},
    {"undo", NULL, "take a retired version back"},
    JSON("print an object a line"),
    END,
};

static const cli_option import_options[] = {
    {"schema", "NS", "namespace of the items' schema (required)"},
    {"key", "FIELD", "member that holds the item's key (required)"},
    {"batch", "N", "lines to a signed batch (default 100)"},
    {"flush", "WHEN", "wait for the disk after each batch, or at the end\n(default); WHEN is batch or end"},
    {"ack", NULL, "print the number of the last line that is on the\ndisk, after each flush"},
    {"keep-going", NULL, "leave out lines that are refused; exit code 1"},
    {"quiet", NULL, "no progress bar and no summary"},
    JSON("print the summary as an object"),
    END,
};
static const cli_option apply_options[] = {
    {"schema", "NS", "namespace for \"create\", not for \"set\" or \"edit\""},
    {"key", "FIELD", "member that names the item (default \"name\")"},
    {"batch", "N", "lines to a signed batch (default 100)"},
    {"flush", "WHEN", "wait for the disk after each batch, or at the end\n(default); WHEN is batch or end"},
    {"ack", NULL, "print the number of the last line that is on the\ndisk, after each flush"},
    {"keep-going", NULL, "leave out lines that are refused; exit code 1"},
    {"quiet", NULL, "no progress bar and no summary"},
    JSON("print the summary as an object"),
    END,
};
static const cli_option get_options[] = {
    {"field", "FIELD", "only this field; a string without its quotes"},
    {"deleted", NULL, "show the item even if it is deleted"},
    JSON("print compact JSON on one line, strings in quotes"),
    END,
};
static const cli_option put_options[] = {
    {"schema", "NS", "namespace of the schema; needed for a new item"},
    JSON("print what was done as an object"),
    END,
};
static const cli_option set_options[] = {
    {"message", "TEXT", "kept with the commit"},
    JSON("print what was done as an object"),
    END,
};
static const cli_option unset_options[] = {JSON("print what was done as an object"), END};
static const cli_option delete_options[] = {
    {"undo", NULL, "bring a deleted item back"},
    JSON("print what was done as an object"),
    END,
};
static const cli_option ls_options[] = {JSON("print an object a line"), END};
static const cli_option query_options[] = {
    {"where", "FILTER", "a filter as JSON, such as {\"size\":{\"$gt\":5}}"},
    {"schema", "NS", "only items of this schema"},
    {"sort", "F,-G", "order by F upwards, then by G downwards"},
    {"offset", "N", "leave out the first N rows"},
    {"limit", "N", "at most N rows"},
    {"fields", "A,B", "only these fields of each row"},
    {"count", NULL, "print the number of rows instead of the rows"},
    {"live", NULL, "then apply edits and print what they change"},
    {"apply", "FILE", "the edits for --live (default: standard input)"},
    {"key", "FIELD", "member of an edit that names the item (\"name\")"},
    {"rate", "N", "edits a second for --live"},
    {"keep-going", NULL, "leave out edits that are refused; exit code 1"},
    JSON("print the count as an object; rows always are"),
    END,
};
static const cli_option log_options[] = {
    {"before", "COMMIT", "only what is older than this commit, by the first\ndigits of its id"},
    {"limit", "N", "at most N commits"},
    JSON("print an object a line, with full ids"),
    END,
};
static const cli_option explain_options[] = {
    {"at", "COMMIT", "as it was at this commit, by the first digits of its\nid"},
    {"limit", "N", "at most N commits to a field (default 20)"},
    JSON("print it as an object, with full ids"),
    END,
};
static const cli_option revert_options[] = {
    {"session", "ID", "the commits of a session"},
    {"since", "TIME", "the commits from TIME on, as 2026-01-31T12:00:00Z"},
    {"until", "TIME", "and none later than TIME"},
    {"undo", NULL, "the last edit made here that is no revert, with its\ntransaction, or in an item of --in"},
    {"redo", NULL, "the last undo or revert made here, if nothing was\nedited since"},
    {"in", "PATH", "only in this repository or item"},
    {"message", "TEXT", "kept with the commits"},
    {"dry-run", NULL, "print what would change, and change nothing"},
    JSON("print an object a line, with full ids"),
    END,
};
static const cli_option digest_options[] = {JSON("print an object"), END};
static const cli_option verify_options[] = {JSON("print the report as an object"), END};
static const cli_option serve_options[] = {
    {"listen", "HOST:PORT", "where to listen (default 127.0.0.1:8080; port 0:\nany that is free)"},
    {"tls", "CERT KEY", "accept TLS alone, with this certificate chain and\nkey (PEM files)"},
    {"static", "DIR", "also serve these files over HTTP"},
    {"origins", "LIST",
     "web origins whose pages may connect, with blanks\nbetween them, or * (default: this server's own)"},
    {"connections", "N", "connections at a time (default 20000, or what the\nlimit of open files allows)"},
    {"per-address", "N",
     "and of one address; 0: no limit (default 1000; none\nwhere only this machine is listened to)"},
    JSON("print url, root and network as an object"),
    END,
};
static const cli_option clone_options[] = {
    {"root", "KEY", "the root key that the server must have"},
    {"ca", "FILE", "trust the authorities in this PEM file"},
    {"timeout", "SECONDS", "give up when the server is out of reach for so\nlong (default 10)"},
    {"quiet", NULL, "no progress bar and no summary"},
    JSON("print the summary as an object"),
    END,
};
static const cli_option sync_options[] = {
    {"watch", NULL, "stay, and print what changes"},
    {"url", "URL", "the server is there now"},
    {"ca", "FILE", "trust the authorities in this PEM file"},
    {"timeout", "SECONDS", "give up when the server is out of reach for so\nlong (default 10)"},
    JSON("print an object a line"),
    END,
};
static const cli_option status_options[] = {JSON("print it as an object"), END};
static const cli_option help_options[] = {JSON("print the commands and their options as an object"), END};

const cli_command cli_commands[] = {
    {"init",
     "create a database and its root key",
     {"DB"},
     "Creates the database DB, a directory, with the root key of a new network.\n"
     "It is an error if there is a database already.",
     "goat init pets",
     1,
     1,
     init_options,
     cmd_init},
    {"schema",
     "register, list, compare and retire schemas",
     {"DB add FILE...", "DB list", "DB diff NS V1 V2", "DB retire NS V"},
     "Registers a schema from each FILE, a JSON definition (- is standard input),\n"
     "or lists all. A version of a schema never changes; a new one gets a new number.\n"
     "diff prints what a version changes, and how it could lose or reject what there\n"
     "is; retire makes readers go back to the version before.",
     "goat schema pets add cat.json",
     2,
     1 << 20,
     schema_options,
     cmd_schema},
    {"import",
     "make items from newline-delimited JSON",
     {"DB REPO --schema NS --key FIELD [FILE]"},
     "Each line of FILE (default: standard input) is a JSON object and becomes an\n"
     "item. An item that is there already is edited to match; an equal one makes\n"
     "no commit.",
     "goat import pets /data/cats --schema cat --key name cats.ndjson",
     2,
     3,
     import_options,
     cmd_import},
    {"apply",
     "make edits from newline-delimited JSON",
     {"DB REPO [FILE]"},
     "Each line of FILE (default: standard input) is an edit: {\"name\": KEY} with\n"
     "\"set\": {FIELD: VALUE}, \"unset\": [FIELD], \"edit\": {FIELD: [STEP]}, \"create\":\n"
     "{FIELD: VALUE}, \"replace\": {FIELD: VALUE} or \"delete\": true. A STEP is such as\n"
     "{\"splice\": [3, 0, \"text\"]} or {\"increment\": 1}.",
     "goat apply pets /data/cats updates.ndjson",
     2,
     3,
     apply_options,
     cmd_apply},
    {"get",
     "print an item",
     {"DB PATH"},
     "Prints the item at PATH, /type/repository/item, as JSON.",
     "goat get pets /data/cats/tom --field colour",
     2,
     2,
     get_options,
     cmd_get},
    {"put",
     "create an item, or replace what it holds",
     {"DB PATH --schema NS JSON"},
     "Makes the item at PATH equal to JSON, an object (- is standard input);\n"
     "creates it if it is not there.",
     "goat put pets /data/cats/tom --schema cat '{\"colour\": \"grey\"}'",
     3,
     3,
     put_options,
     cmd_put},
    {"set",
     "give fields of an item new values",
     {"DB PATH FIELD=JSON..."},
     "Sets fields in one commit. What is no JSON, or not of the field's type, is\n"
     "taken as text: colour=grey is colour='\"grey\"'.",
     "goat set pets /data/cats/tom colour=grey age=7",
     3,
     1 << 20,
     set_options,
     cmd_set},
    {"unset",
     "take fields away from an item",
     {"DB PATH FIELD..."},
     "Unsets fields in one commit; they then read as their default, or not at all.",
     "goat unset pets /data/cats/tom colour",
     3,
     1 << 20,
     unset_options,
     cmd_unset},
    {"delete",
     "delete an item",
     {"DB PATH"},
     "Deletes the item at PATH. Its history stays, and --undo brings it back.",
     "goat delete pets /data/cats/tom",
     2,
     2,
     delete_options,
     cmd_delete},
    {"ls",
     "list repositories, or the items of one",
     {"DB [REPO]"},
     "Prints a path a line, in order. Deleted items are left out.",
     "goat ls pets /data/cats",
     1,
     2,
     ls_options,
     cmd_ls},
    {"query",
     "print the items that match a filter",
     {"DB REPO"},
     "Prints rows as newline-delimited JSON: {\"key\": KEY, FIELD: VALUE, ...}.\n"
     "A filter is a document of MongoDB's query language: $eq $ne $gt $gte $lt $lte\n"
     "$in $nin $and $or $not $nor $exists $contains $startsWith $regex.",
     "goat query pets /data/cats --where '{\"age\":{\"$gt\":5}}' --sort -age",
     2,
     2,
     query_options,
     cmd_query},
    {"log",
     "print the commits of an item, newest first",
     {"DB PATH"},
     "One line a commit: id, time, session, kind and the fields that it edited. A *\n"
     "marks a head, of which the item as it is now is made, and a - what is not\n"
     "read here.",
     "goat log pets /data/cats/tom",
     2,
     2,
     log_options,
     cmd_log},
    {"explain",
     "say which commits the fields of an item come from",
     {"DB PATH [FIELD]"},
     "Says of FIELD, or of each field, which commits it comes from and by which\n"
     "rule. The newest first: kept is what is part of the value, overridden what\n"
     "is not any more, and by which commit.",
     "goat explain pets /data/cats/tom colour",
     2,
     3,
     explain_options,
     cmd_explain},
    {"revert",
     "undo commits, whatever came after them",
     {"DB COMMIT...", "DB --session ID | --since TIME", "DB --undo | --redo"},
     "Undoes commits and keeps what others did meanwhile. A COMMIT is an id as\n"
     "goat log prints it. A revert is made of commits too, and is undone by their\n"
     "ids, or by --redo; --undo goes past it to the edit before.",
     "goat revert pets 1f0c9a3be27d",
     1,
     1 << 20,
     revert_options,
     cmd_revert},
    {"digest",
     "print a fingerprint of a repository",
     {"DB REPO"},
     "Prints three words: the number of entries, a fingerprint of the set of them,\n"
     "and a hash over all items in order. Equal replicas print equal words.",
     "goat digest pets /data/cats",
     2,
     2,
     digest_options,
     cmd_digest},
    {"verify",
     "check everything that is stored",
     {"DB [REPO]"},
     "Checks checksums, hashes, trees, signatures and certificates, prints each\n"
     "fault on a line, then a summary. The exit code is 1 if there is any.",
     "goat verify pets",
     1,
     2,
     verify_options,
     cmd_verify},
    {"serve",
     "let others clone and sync a database",
     {"DB"},
     "Serves DB until SIGTERM or SIGINT, and prints one line when it is ready: its\n"
     "URL and its root key. SIGHUP reads the certificate again. /healthz and\n"
     "/metrics are on the same port.",
     "goat serve pets --listen 127.0.0.1:8080",
     1,
     1,
     serve_options,
     cmd_serve},
    {"clone",
     "make a replica of a server's database",
     {"URL DB [REPO...]"},
     "Makes DB a replica of what the server at URL has: of each REPO, or of all.\n"
     "The server's root key is pinned at first use. Run again, an interrupted clone\n"
     "goes on where it was.",
     "goat clone ws://127.0.0.1:8080 copy",
     2,
     1 << 20,
     clone_options,
     cmd_clone},
    {"sync",
     "exchange edits with the server",
     {"DB"},
     "Brings what DB and its server have to each other, and ends when both have the\n"
     "same on their disks. The server is the one that goat clone remembered.",
     "goat sync copy",
     1,
     1,
     sync_options,
     cmd_sync},
    {"status",
     "say how a replica and its server stand",
     {"DB"},
     "Says where DB's server is, when both were last the same, what went wrong\n"
     "since, and how much of each repository the server has not acknowledged. While\n"
     "goat serve or sync has DB, it says what that process knows: peers, lag, queues.",
     "goat status copy",
     1,
     1,
     status_options,
     cmd_status},
    {"help",
     "say what a command does",
     {"[COMMAND]"},
     "Prints what goat COMMAND --help prints, or the list of commands.",
     "goat help import",
     0,
     1,
     help_options,
     cmd_help},
    {NULL, NULL, {NULL}, NULL, NULL, 0, 0, NULL, NULL},
};
