# SPDX-License-Identifier: GPL-3.0-or-later
# clusterscan: bash completion. It asks the program itself what there is, so that it never grows old.
# Installed where bash-completion looks; without that: source tools/completion/clusterscan.bash

# The names of the commands.
_clusterscan_commands()
{
    "$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p'
}

# The options of a command; those that take a value end in =.
_clusterscan_options()
{
    ARGP_HELP_FMT=rmargin=2000 "$1" "$2" --help 2>/dev/null | awk '
        match($0, /^  +(-., )?--[a-z-]+\[?=?/) {
            option = substr($0, 1, RLENGTH)
            sub(/^.*--/, "--", option)
            sub(/\[/, "", option)
            print option
            seen = 1
        }
        seen && /^$/ { exit }' # below the options an example may look like one
}

# Completes a file name, a topology by preference.
_clusterscan_files()
{
    local extension=$1 current=$2
    compopt -o filenames 2>/dev/null
    if [ -n "$extension" ]; then
        mapfile -t COMPREPLY < <(compgen -f -X "!*.$extension" -- "$current"
            compgen -d -- "$current")
    fi
    [ "${#COMPREPLY[@]}" -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$current")
}

# The first word that names a topology.
_clusterscan_topology()
{
    local word
    for word in "${COMP_WORDS[@]:2}"; do
        case $word in
        *.yaml | *.yml)
            [ -f "$word" ] && printf '%s\n' "$word" && return
            ;;
        esac
    done
}

_clusterscan_keys()
{
    local program=$1 current=$2 topology
    topology=$(_clusterscan_topology)
    compopt -o nospace 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -S = -W "$(
        "$program" reference keys ${topology:+"$topology"} 2>/dev/null ||
            "$program" reference keys 2>/dev/null
    )" -- "$current")
}

# What the key may be, where the word before it is --set.
_clusterscan_values()
{
    local program=$1 key=$2 current=$3 topology
    topology=$(_clusterscan_topology)
    mapfile -t COMPREPLY < <(compgen -W "$(
        "$program" reference values "$key" ${topology:+"$topology"} 2>/dev/null ||
            "$program" reference values "$key" 2>/dev/null
    )" -- "$current")
    [ "${#COMPREPLY[@]}" -gt 0 ] || _clusterscan_files '' "$current"
}

_clusterscan()
{
    local program=$1 current=$2 previous=$3 command=${COMP_WORDS[1]} at
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W \
            "$(_clusterscan_commands "$program") --help --version" -- "$current")
        return
    fi
    # Readline takes = for a word of its own: --set key=value is --set, key, =, value; --set=key is --set, =, key.
    at=$((COMP_CWORD - 2))
    [ "$current" = = ] && at=$((COMP_CWORD - 1))
    if [ "${COMP_WORDS[at + 1]}" = = ] && [ "$at" -ge 3 ] && [[ ${COMP_WORDS[at]} != --* ]]; then
        previous=${COMP_WORDS[at - 1]}
        [ "$previous" = = ] && previous=${COMP_WORDS[at - 2]}
        [ "$current" = = ] && current=
        if [ "$previous" = --set ]; then
            _clusterscan_values "$program" "${COMP_WORDS[at]}" "$current"
            return
        fi
    fi
    if [ "$previous" = = ] && [ "$COMP_CWORD" -ge 3 ]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    elif [ "$current" = = ]; then
        current=
    fi
    case $previous in
    --set)
        _clusterscan_keys "$program" "$current"
        return
        ;;
    --member)
        mapfile -t COMPREPLY < <(compgen -W 'median largest' -- "$current")
        return
        ;;
    --state | -s)
        if [ "$command" != generate ]; then # there -s is --signal
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -d -- "$current")
            return
        fi
        ;;
    esac
    case $command:$current in
    *:-*)
        mapfile -t COMPREPLY < <(compgen -W "$(_clusterscan_options "$program" "$command")" \
            -- "$current")
        [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
        ;;
    reference:*)
        if [ "$COMP_CWORD" -eq 2 ]; then
            mapfile -t COMPREPLY < <(compgen -W 'topology messages example schema man keys values' -- "$current")
        else
            _clusterscan_files yaml "$current"
        fi
        ;;
    run:* | validate:* | graph:*)
        _clusterscan_files yaml "$current"
        ;;
    inspect:* | report:* | plot:* | compare:* | events:* | feed:*)
        _clusterscan_files h5 "$current"
        ;;
    *)
        _clusterscan_files '' "$current"
        ;;
    esac
    return 0
}

complete -F _clusterscan clusterscan
