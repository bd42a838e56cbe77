# The second half of what packaging/demo shows: a server with the database of the first half, and two replicas that
# are edited apart and meet. Sourced by show; sets what the last table needs.
# shellcheck shell=bash disable=SC2154

# Starts the server and waits for its line. Sets $url, $root_key, $port, $server.
serve() {
    printf '%s$ goat serve %s --listen %s &%s\n' "$dim" "$db" "$1" "$plain"
    mkfifo ready
    "$program" serve "$db" --listen "$1" >ready &
    server=$!
    running=("$server")
    read -r url root_key <ready || { printf 'show: the server does not start\n' >&2 && exit 1; }
    rm ready
    port=${url##*:}
    printf '%s %s\n' "$url" "$root_key"
}

stop_server() {
    printf '%s$ kill -TERM %s%s\n' "$dim" "$server" "$plain"
    kill -TERM "$server"
    wait "$server"
    running=()
}

# The server stays up for a look, as long as was asked for.
look() {
    step "The server is up again, for a look"
    serve 127.0.0.1:0
    printf '%s$ curl http://127.0.0.1:%s/healthz%s\n%s\n' "$dim" "$port" "$plain" "$(fetch /healthz)"
    printf '%s$ curl http://127.0.0.1:%s/metrics%s\n' "$dim" "$port" "$plain"
    fetch /metrics | grep -v '^#' | head -5
    case $wait in
    key)
        printf '\nPress Enter to end it. '
        read -r _ || true
        ;;
    signal)
        printf '\nIt stays until this is interrupted.\n'
        wait "$server"
        ;;
    esac
    stop_server
}

# The body of what the server answers over HTTP; no other program is needed.
fetch() {
    local line
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$1" "$port" >&3
    while IFS= read -r line <&3 && [ "$line" != $'\r' ]; do :; done
    cat <&3
    exec 3>&-
}

meet() { # in one line
    printf '%s(both sync)%s\n' "$dim" "$plain"
    "$program" sync alice >out
    "$program" sync bob >out
    "$program" sync alice >out
}

step "Notes besides: with a text that several may type into"
goat schema "$db" add "$here/note.json"

step "A server for it, and two machines that clone it"
serve 127.0.0.1:0
began=$(now)
goat clone "$url" alice --root "$root_key"
cloned=$(($(now) - began))
goat clone "$url" bob --root "$root_key"

step "Apart, without the server: each gets one half of what Debian has changed since"
if [ ! -s rest.ndjson ]; then # there are no newer lists on this machine: made-up edits do
    "$program" query "$db" $repo --limit 400 --fields '' |
        sed 's/.*"key":"\([^"]*\)".*/{"name":"\1","set":{"priority":"required"}}/' >rest.ndjson
fi
awk '{ print >(NR % 2 ? "alice.ndjson" : "bob.ndjson") }' rest.ndjson
touch alice.ndjson bob.ndjson
goat apply alice $repo --schema package alice.ndjson
goat apply bob $repo --schema package bob.ndjson

shell=$("$program" query alice $repo --where '{"section":"shells"}' --sort -size --limit 1 --fields '' |
    sed 's/.*"key":"\([^"]*\)".*/\1/')
step "And both have their own mind about one package"
goat set alice "$repo/$shell" 'description=Alice wrote this' priority=important
goat set bob "$repo/$shell" 'description=Bob wrote this a little later' homepage=https://bob.example
goat status alice

step "They meet"
goat sync alice
goat sync bob
goat sync alice

step "Different fields are both there; of one field the later value, and the history has both"
goat query alice $repo --where "{\"name\":\"$shell\"}" --fields description,priority,homepage
goat log alice "$repo/$shell" --limit 3

note=/debian/notes/$shell
step "A text, and both type into it at once"
goat put alice "$note" --schema note "{\"title\":\"$shell\",\"text\":\"A small shell.\"}"
meet
goat set alice "$note" 'text=A small and quick shell.'
goat set bob "$note" 'text=A small shell. Scripts love it.'
alices=$("$program" log alice "$note" --limit 1 --json | sed 's/.*"id":"\([0-9a-f]\{12\}\).*/\1/')
meet
goat get bob "$note" --field text

step "Who wrote that, and by which rule?"
goat explain bob "$note" text

step "Alice takes back what she typed; what Bob typed stays"
goat revert alice "$alices"
meet

step "Live: what Alice changes is at Bob's as soon as the server has it"
printf '%s$ goat sync bob --watch &%s\n' "$dim" "$plain"
mkfifo changes
"$program" sync bob --watch >changes &
watch=$!
running=("$server" "$watch")
exec 4<changes
read -r line <&4
printf '%s\n' "$line"
goat set alice "$repo/$shell" 'description=Alice again'
began=$(now)
goat sync alice
read -r line <&4
live=$(($(now) - began))
printf '%sat Bob:%s %s\n' "$bold" "$plain" "$line"
exec 4<&-
kill -TERM "$watch"
wait "$watch"
running=("$server")

step "Nothing new: what two machines say to each other then"
goat sync bob

step "The same line three times, and no fault"
stop_server
goat digest "$db" $repo
goat digest alice $repo
goat digest bob $repo
goat verify "$db"
goat verify alice
goat verify bob
[ "$("$program" digest "$db" $repo)" = "$("$program" digest alice $repo)" ] &&
    [ "$("$program" digest alice $repo)" = "$("$program" digest bob $repo)" ] || {
    printf 'show: the three are not equal\n' >&2
    exit 1
}

step "A second version of the notes, beside the first: what does it change?"
goat schema "$db" add "$here/note2.json" --check
goat schema "$db" add "$here/note2.json"
goat get "$db" "$note"
printf '%sAlice has not heard of it yet, and goes on as before:%s\n' "$bold" "$plain"
goat get alice "$note"
