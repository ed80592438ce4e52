# Completion of jailoc for bash: source this, or put it where bash-completion looks.
_jailoc() {
    local current=${COMP_WORDS[COMP_CWORD]} answer fits word mark="" quotes=""
    local -a words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    # Bash takes a word apart at these signs.
    if [[ ${COMP_WORDS[COMP_CWORD - 1]} == "@" ]]; then
        mark="@"
        words=("${COMP_WORDS[@]:1:COMP_CWORD-2}" "@$current")
    elif [[ $current == "@" ]]; then
        current=""
        mark="@"
    elif [[ $current == "=" ]]; then
        current=""
    fi
    COMPREPLY=()
    answer=$(jailoc __complete "${words[@]}" 2>/dev/null) || return
    {
        read -r fits
        case $fits in
        files | directories)
            # So that a directory goes on and what a shell would run is quoted; before version 4
            # that is to be done here.
            compopt -o filenames 2>/dev/null || quotes=1
            while IFS= read -r word; do
                if [[ -n $quotes ]]; then
                    printf -v word %q "$word"
                    [[ $word != "\\~/"* ]] || word=${word#"\\"}
                fi
                COMPREPLY+=("$word")
            done < <(compgen "-${fits:0:1}" -- "$current")
            ;;
        *)
            while IFS= read -r word; do
                word=${word%%$'\t'*}
                [[ $word == "$mark$current"* ]] && COMPREPLY+=("$word")
            done
            ;;
        esac
    } <<<"$answer"
}
complete -F _jailoc jailoc
