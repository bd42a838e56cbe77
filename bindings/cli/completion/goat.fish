# fish completion for goat. The commands and options below are compared with the command's own table by tests/e2e.
# Repositories are read from the names of their logs, so nothing is opened and no lock is taken.

# The options that something follows, and the one that two words follow.
set -g __goat_with_value --schema --key --batch --flush --field --message --where --sort --offset --limit --fields --apply --rate --listen --static --origins --connections --per-address --root --ca --timeout --url --at --before --session --since --until --in
set -g __goat_with_two --tls

# Whether the command is one of these.
function __goat_is
    set -l words (commandline -opc)
    test (count $words) -gt 1; and contains -- $words[2] $argv
end

function __goat_has_no_command
    test (count (commandline -opc)) -eq 1
end

# The operands before the word that is being completed.
function __goat_operands
    set -l words (commandline -opc)
    set -l skipped 0
    for word in $words[3..-1]
        if test $skipped -gt 0
            set skipped (math $skipped - 1)
        else if contains -- $word $__goat_with_value
            set skipped 1
        else if contains -- $word $__goat_with_two
            set skipped 2
        else if not string match -q -- '-?*' $word
            echo $word
        end
    end
end

# Whether the operand that is being completed is the first, second, …
function __goat_at
    test (math (count (__goat_operands)) + 1) -eq $argv[1]
end

function __goat_behind
    test (math (count (__goat_operands)) + 1) -gt $argv[1]
end

# Whether the word is the second of two that follow an option.
function __goat_is_second
    contains -- (commandline -opc)[-2] $__goat_with_two
end

# The repositories of the database that stands before on the line.
function __goat_repositories
    set -l database (__goat_operands)[1]
    string match -q '~/*' -- $database; and set database $HOME(string sub -s 2 -- $database)
    for log in $database/repos/*/*.log
        string replace -r '.*/repos(/.*)\.log$' '$1' -- $log
    end
end

function __goat_items
    __goat_repositories | string replace -r '$' /
end

complete -c goat -f
complete -c goat -n __goat_has_no_command -l help -d 'print the list of commands'
complete -c goat -n __goat_has_no_command -l version -d 'print the version'

complete -c goat -n '__goat_is help; and __goat_at 1' -a 'init schema import apply get put set unset delete ls query log explain revert digest verify serve clone sync status help'
complete -c goat -n 'not __goat_has_no_command; and not __goat_is clone help; and __goat_at 1' -a '(__fish_complete_directories)'
complete -c goat -n '__goat_is clone; and __goat_at 2' -a '(__fish_complete_directories)'
complete -c goat -n '__goat_is schema; and __goat_at 2' -a 'add list diff retire'
complete -c goat -n '__goat_is import apply ls query digest verify; and __goat_at 2' -a '(__goat_repositories)'
complete -c goat -n '__goat_is get put set unset delete log explain; and __goat_at 2' -a '(__goat_items)'
complete -c goat -n '__goat_is schema; and __goat_behind 2' -F
complete -c goat -n '__goat_is import apply; and __goat_at 3' -F
complete -c goat -n '__goat_is serve; and __goat_is_second' -F

complete -c goat -n __goat_has_no_command -a init -d 'create a database and its root key'
complete -c goat -n '__goat_is init' -l json -d 'print path, network, root and session as an object'
complete -c goat -n '__goat_is init' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a schema -d 'register, list, compare and retire schemas'
complete -c goat -n '__goat_is schema' -l check -d 'print what would change, and register nothing'
complete -c goat -n '__goat_is schema' -l undo -d 'take a retired version back'
complete -c goat -n '__goat_is schema' -l json -d 'print an object a line'
complete -c goat -n '__goat_is schema' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a import -d 'make items from newline-delimited JSON'
complete -c goat -n '__goat_is import' -l schema -x -d 'namespace of the items\' schema (required)'
complete -c goat -n '__goat_is import' -l key -x -d 'member that holds the item\'s key (required)'
complete -c goat -n '__goat_is import' -l batch -x -d 'lines to a signed batch (default 100)'
complete -c goat -n '__goat_is import' -l flush -x -a 'batch end' -d 'wait for the disk after each batch, or at the end (default); WHEN is batch or end'
complete -c goat -n '__goat_is import' -l ack -d 'print the number of the last line that is on the disk, after each flush'
complete -c goat -n '__goat_is import' -l keep-going -d 'leave out lines that are refused; exit code 1'
complete -c goat -n '__goat_is import' -l quiet -d 'no progress bar and no summary'
complete -c goat -n '__goat_is import' -l json -d 'print the summary as an object'
complete -c goat -n '__goat_is import' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a apply -d 'make edits from newline-delimited JSON'
complete -c goat -n '__goat_is apply' -l schema -x -d 'namespace for "create", not for "set" or "edit"'
complete -c goat -n '__goat_is apply' -l key -x -d 'member that names the item (default "name")'
complete -c goat -n '__goat_is apply' -l batch -x -d 'lines to a signed batch (default 100)'
complete -c goat -n '__goat_is apply' -l flush -x -a 'batch end' -d 'wait for the disk after each batch, or at the end (default); WHEN is batch or end'
complete -c goat -n '__goat_is apply' -l ack -d 'print the number of the last line that is on the disk, after each flush'
complete -c goat -n '__goat_is apply' -l keep-going -d 'leave out lines that are refused; exit code 1'
complete -c goat -n '__goat_is apply' -l quiet -d 'no progress bar and no summary'
complete -c goat -n '__goat_is apply' -l json -d 'print the summary as an object'
complete -c goat -n '__goat_is apply' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a get -d 'print an item'
complete -c goat -n '__goat_is get' -l field -x -d 'only this field; a string without its quotes'
complete -c goat -n '__goat_is get' -l deleted -d 'show the item even if it is deleted'
complete -c goat -n '__goat_is get' -l json -d 'print compact JSON on one line, strings in quotes'
complete -c goat -n '__goat_is get' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a put -d 'create an item, or replace what it holds'
complete -c goat -n '__goat_is put' -l schema -x -d 'namespace of the schema; needed for a new item'
complete -c goat -n '__goat_is put' -l json -d 'print what was done as an object'
complete -c goat -n '__goat_is put' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a set -d 'give fields of an item new values'
complete -c goat -n '__goat_is set' -l message -x -d 'kept with the commit'
complete -c goat -n '__goat_is set' -l json -d 'print what was done as an object'
complete -c goat -n '__goat_is set' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a unset -d 'take fields away from an item'
complete -c goat -n '__goat_is unset' -l json -d 'print what was done as an object'
complete -c goat -n '__goat_is unset' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a delete -d 'delete an item'
complete -c goat -n '__goat_is delete' -l undo -d 'bring a deleted item back'
complete -c goat -n '__goat_is delete' -l json -d 'print what was done as an object'
complete -c goat -n '__goat_is delete' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a ls -d 'list repositories, or the items of one'
complete -c goat -n '__goat_is ls' -l json -d 'print an object a line'
complete -c goat -n '__goat_is ls' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a query -d 'print the items that match a filter'
complete -c goat -n '__goat_is query' -l where -x -d 'a filter as JSON, such as {"size":{"$gt":5}}'
complete -c goat -n '__goat_is query' -l schema -x -d 'only items of this schema'
complete -c goat -n '__goat_is query' -l sort -x -d 'order by F upwards, then by G downwards'
complete -c goat -n '__goat_is query' -l offset -x -d 'leave out the first N rows'
complete -c goat -n '__goat_is query' -l limit -x -d 'at most N rows'
complete -c goat -n '__goat_is query' -l fields -x -d 'only these fields of each row'
complete -c goat -n '__goat_is query' -l count -d 'print the number of rows instead of the rows'
complete -c goat -n '__goat_is query' -l live -d 'then apply edits and print what they change'
complete -c goat -n '__goat_is query' -l apply -r -F -d 'the edits for --live (default: standard input)'
complete -c goat -n '__goat_is query' -l key -x -d 'member of an edit that names the item ("name")'
complete -c goat -n '__goat_is query' -l rate -x -d 'edits a second for --live'
complete -c goat -n '__goat_is query' -l keep-going -d 'leave out edits that are refused; exit code 1'
complete -c goat -n '__goat_is query' -l json -d 'print the count as an object; rows always are'
complete -c goat -n '__goat_is query' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a log -d 'print the commits of an item, newest first'
complete -c goat -n '__goat_is log' -l before -x -d 'only what is older than this commit, by the first digits of its id'
complete -c goat -n '__goat_is log' -l limit -x -d 'at most N commits'
complete -c goat -n '__goat_is log' -l json -d 'print an object a line, with full ids'
complete -c goat -n '__goat_is log' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a explain -d 'say which commits the fields of an item come from'
complete -c goat -n '__goat_is explain' -l at -x -d 'as it was at this commit, by the first digits of its id'
complete -c goat -n '__goat_is explain' -l limit -x -d 'at most N commits to a field (default 20)'
complete -c goat -n '__goat_is explain' -l json -d 'print it as an object, with full ids'
complete -c goat -n '__goat_is explain' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a revert -d 'undo commits, whatever came after them'
complete -c goat -n '__goat_is revert' -l session -x -d 'the commits of a session'
complete -c goat -n '__goat_is revert' -l since -x -d 'the commits from TIME on, as 2026-01-31T12:00:00Z'
complete -c goat -n '__goat_is revert' -l until -x -d 'and none later than TIME'
complete -c goat -n '__goat_is revert' -l undo -d 'the last edit made here that is no revert, with its transaction, or in an item of --in'
complete -c goat -n '__goat_is revert' -l redo -d 'the last undo or revert made here, if nothing was edited since'
complete -c goat -n '__goat_is revert' -l in -x -a '(__goat_repositories)' -d 'only in this repository or item'
complete -c goat -n '__goat_is revert' -l message -x -d 'kept with the commits'
complete -c goat -n '__goat_is revert' -l dry-run -d 'print what would change, and change nothing'
complete -c goat -n '__goat_is revert' -l json -d 'print an object a line, with full ids'
complete -c goat -n '__goat_is revert' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a digest -d 'print a fingerprint of a repository'
complete -c goat -n '__goat_is digest' -l json -d 'print an object'
complete -c goat -n '__goat_is digest' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a verify -d 'check everything that is stored'
complete -c goat -n '__goat_is verify' -l json -d 'print the report as an object'
complete -c goat -n '__goat_is verify' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a serve -d 'let others clone and sync a database'
complete -c goat -n '__goat_is serve' -l listen -x -d 'where to listen (default 127.0.0.1:8080; port 0: any that is free)'
complete -c goat -n '__goat_is serve' -l tls -r -F -d 'accept TLS alone, with this certificate chain and key (PEM files)'
complete -c goat -n '__goat_is serve' -l static -x -a '(__fish_complete_directories)' -d 'also serve these files over HTTP'
complete -c goat -n '__goat_is serve' -l origins -x -d 'web origins whose pages may connect, with blanks between them, or * (default: this server\'s own)'
complete -c goat -n '__goat_is serve' -l connections -x -d 'connections at a time (default 20000, or what the limit of open files allows)'
complete -c goat -n '__goat_is serve' -l per-address -x -d 'and of one address; 0: no limit (default 1000; none where only this machine is listened to)'
complete -c goat -n '__goat_is serve' -l json -d 'print url, root and network as an object'
complete -c goat -n '__goat_is serve' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a clone -d 'make a replica of a server\'s database'
complete -c goat -n '__goat_is clone' -l root -x -d 'the root key that the server must have'
complete -c goat -n '__goat_is clone' -l ca -r -F -d 'trust the authorities in this PEM file'
complete -c goat -n '__goat_is clone' -l timeout -x -d 'give up when the server is out of reach for so long (default 10)'
complete -c goat -n '__goat_is clone' -l quiet -d 'no progress bar and no summary'
complete -c goat -n '__goat_is clone' -l json -d 'print the summary as an object'
complete -c goat -n '__goat_is clone' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a sync -d 'exchange edits with the server'
complete -c goat -n '__goat_is sync' -l watch -d 'stay, and print what changes'
complete -c goat -n '__goat_is sync' -l url -x -d 'the server is there now'
complete -c goat -n '__goat_is sync' -l ca -r -F -d 'trust the authorities in this PEM file'
complete -c goat -n '__goat_is sync' -l timeout -x -d 'give up when the server is out of reach for so long (default 10)'
complete -c goat -n '__goat_is sync' -l json -d 'print an object a line'
complete -c goat -n '__goat_is sync' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a status -d 'say how a replica and its server stand'
complete -c goat -n '__goat_is status' -l json -d 'print it as an object'
complete -c goat -n '__goat_is status' -l help -d 'print this'

complete -c goat -n __goat_has_no_command -a help -d 'say what a command does'
complete -c goat -n '__goat_is help' -l json -d 'print the commands and their options as an object'
complete -c goat -n '__goat_is help' -l help -d 'print this'
