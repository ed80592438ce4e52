# Completion of jailoc for bash: source this, or put it where bash-completion looks.
_jailoc() {
    local current=${COMP_WORDS[COMP_CWORD]} answer fits word
    [[ $current == "=" ]] && current=""
    COMPREPLY=()
    answer=$(jailoc __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
    {
        read -r fits
        case $fits in
        files | directories)
            # So that a directory goes on and a blank is quoted; old versions do without.
            compopt -o filenames 2>/dev/null
            while IFS= read -r word; do COMPREPLY+=("$word"); done \
                < <(compgen "-${fits:0:1}" -- "$current")
            ;;
        *)
            while IFS= read -r word; do
                word=${word%%$'\t'*}
                [[ $word == "$current"* ]] && COMPREPLY+=("$word")
            done
            ;;
        esac
    } <<<"$answer"
}
complete -F _jailoc jailoc
