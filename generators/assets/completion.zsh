#compdef jailoc
# Completion of jailoc for zsh: a file `_jailoc` in a directory of $fpath, or sourced after compinit.
_jailoc() {
    local -a answer described
    local word name
    answer=("${(@f)$(jailoc __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    case $answer[1] in
    files) _files ;;
    directories) _files -/ ;;
    *)
        for word in "${(@)answer[2,-1]}"; do
            # A colon parts a candidate from its description, so its own are marked.
            name=${${word%%$'\t'*}//:/\\:}
            [[ $word == *$'\t'* ]] && name+=:${word#*$'\t'}
            described+=("$name")
        done
        _describe -V jailoc described
        ;;
    esac
}
if [[ $funcstack[1] == _jailoc ]]; then
    _jailoc "$@"
else
    compdef _jailoc jailoc
fi
