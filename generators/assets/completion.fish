# Completion of jailoc for fish: source this, or save it as ~/.config/fish/completions/jailoc.fish.
function __jailoc_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l answer (jailoc __complete $words[2..-1] 2>/dev/null)
    switch "$answer[1]"
        case files
            __fish_complete_path (commandline -ct)
        case directories
            __fish_complete_directories (commandline -ct) ''
        case '*'
            printf '%s\n' $answer[2..-1]
    end
end
complete -c jailoc -f -a '(__jailoc_complete)'
