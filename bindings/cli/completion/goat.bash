# bash completion for goat. The options below are compared with the command's own table by tests/e2e.
# Repositories are read from the names of their logs, so nothing is opened and no lock is taken.

_goat_options() {
    case $1 in
        init) echo '--json --help' ;;
        schema) echo '--check --undo --json --help' ;;
        import) echo '--schema --key --batch --flush --ack --keep-going --quiet --json --help' ;;
        apply) echo '--schema --key --batch --flush --ack --keep-going --quiet --json --help' ;;
        get) echo '--field --deleted --json --help' ;;
        put) echo '--schema --json --help' ;;
        set) echo '--message --json --help' ;;
        unset) echo '--json --help' ;;
        delete) echo '--undo --json --help' ;;
        ls) echo '--json --help' ;;
        query) echo '--where --schema --sort --offset --limit --fields --count --live --apply --key --rate' \
            '--keep-going --json --help' ;;
        log) echo '--before --limit --json --help' ;;
        explain) echo '--at --limit --json --help' ;;
        revert) echo '--session --since --until --undo --redo --in --message --dry-run --json --help' ;;
        digest) echo '--json --help' ;;
        verify) echo '--json --help' ;;
        serve) echo '--listen --tls --static --origins --connections --per-address --json --help' ;;
        clone) echo '--root --ca --timeout --quiet --json --help' ;;
        sync) echo '--watch --url --ca --timeout --json --help' ;;
        status) echo '--json --help' ;;
        help) echo '--json --help' ;;
    esac
}

# What may follow an option: "-" nothing, "file", "files" (two), "folder", "words …", or empty for anything else.
_goat_argument() {
    case $1 in
        --json | --help | --check | --ack | --keep-going | --quiet | --deleted | --undo | --redo | --count | --live | \
            --watch | --dry-run) echo - ;;
        --apply | --ca) echo file ;;
        --tls) echo files ;;
        --static) echo folder ;;
        --flush) echo 'words batch end' ;;
    esac
}

# The repositories of a database, or nothing.
_goat_repositories() {
    local log
    for log in "$1"/repos/*/*.log; do
        [[ -e $log ]] || continue
        log=${log#"$1/repos"}
        echo "${log%.log}"
    done
}

# The words up to the one that is being completed. Bash takes a word apart at : and =, and would see five of them in
# ws://host:8080; what stands together on the line is put together again. `head` is what of the last word bash does
# not replace.
_goat_words() {
    local i piece line=$COMP_LINE
    words=() head=
    for ((i = 0; i <= COMP_CWORD; i++)); do
        piece=${COMP_WORDS[i]}
        if ((i > 0)) && [[ -n $piece && -n $COMP_LINE && $line == "$piece"* ]]; then
            head=${words[${#words[@]} - 1]}
            words[${#words[@]} - 1]+=$piece
            [[ $piece == [:=]* ]] && head+=$piece
        else
            words+=("$piece") head=
            line=${line#"${line%%[![:space:]]*}"}
        fi
        line=${line#"$piece"}
    done
}

# The operands before the word that is being completed.
_goat_operands() {
    local i word
    operands=()
    for ((i = 2; i < ${#words[@]} - 1; i++)); do
        word=${words[i]}
        if [[ $word == --?* && $word != *=* ]]; then
            case $(_goat_argument "$word") in
                -) ;;
                files) i=$((i + 2)) ;;
                *) i=$((i + 1)) ;;
            esac
        elif [[ $word != -* || $word == - ]]; then
            operands+=("$word")
        fi
    done
}

_goat_operand() {
    local command=$1 word=$2 place=${#operands[@]}
    case $command:$place in
        clone:0) ;;
        clone:1) COMPREPLY=($(compgen -d -- "$word")) ;;
        help:0) COMPREPLY=($(compgen -W "$goat_commands" -- "$word")) ;;
        *:0) COMPREPLY=($(compgen -d -- "$word")) ;;
        schema:1) COMPREPLY=($(compgen -W 'add list diff retire' -- "$word")) ;;
        import:1 | apply:1 | ls:1 | query:1 | digest:1 | verify:1)
            COMPREPLY=($(compgen -W "$(_goat_repositories "${operands[0]}")" -- "$word")) ;;
        get:1 | put:1 | set:1 | unset:1 | delete:1 | log:1 | explain:1)
            COMPREPLY=($(compgen -S / -W "$(_goat_repositories "${operands[0]}")" -- "$word"))
            compopt -o nospace 2>/dev/null ;;
        schema:* | import:2 | apply:2) COMPREPLY=($(compgen -f -- "$word")) ;;
    esac
}

_goat_complete() {
    local goat_commands='init schema import apply get put set unset delete ls query log explain revert digest verify serve clone sync status help'
    local count=${#words[@]} word=${words[${#words[@]} - 1]} before=${words[${#words[@]} - 2]} argument= operands
    if ((count == 2)); then
        COMPREPLY=($(compgen -W "$goat_commands --help --version" -- "$word"))
        return
    fi
    if [[ $word == --?*=* ]]; then
        before=${word%%=*} word=${word#*=} count=4
    fi
    if ((count > 3)) && [[ $before == --?* && $before != *=* ]]; then
        argument=$(_goat_argument "$before")
        case $argument in
            -) ;;
            file | files) COMPREPLY=($(compgen -f -- "$word")); return ;;
            folder) COMPREPLY=($(compgen -d -- "$word")); return ;;
            words*) COMPREPLY=($(compgen -W "${argument#words }" -- "$word")); return ;;
            *) return ;;
        esac
    fi
    if ((count > 4)) && [[ $(_goat_argument "${words[count - 3]}") == files ]]; then
        COMPREPLY=($(compgen -f -- "$word"))
        return
    fi
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$(_goat_options "${words[1]}")" -- "$word"))
        return
    fi
    _goat_operands
    _goat_operand "${words[1]}" "$word"
}

_goat() {
    local words head
    COMPREPLY=()
    _goat_words
    _goat_complete
    COMPREPLY=("${COMPREPLY[@]#"$head"}")
}

complete -o filenames -o bashdefault -F _goat goat
