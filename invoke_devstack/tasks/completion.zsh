# Completion of Invoke's tasks, flags and this stack's services for zsh:
#
#     source <(python -m invoke_devstack completion zsh)         in ~/.zshrc, after compinit

_invoke_devstack() {
    local current="${words[CURRENT]}" previous="${words[CURRENT-1]}"
    local word task="" name before=""
    local -a found
    for word in "${(@)words[2,CURRENT-1]}"; do
        if [[ $word == -- ]]; then _files 2>/dev/null; return; fi  # the words of a command in a container
        if [[ -z $task && $word != -* ]]; then task=$word; fi
    done
    name="${task##*.}"
    if [[ -n $task && ( $previous == -s || $previous == --service ||
            ( $previous == $task && $current != -* && " @TAKES_SERVICE@ " == *" $name "* ) ) ]]; then
        [[ $current == *,* ]] && before="${current%,*},"
        found=(${(f)"$(${words[1]} ${task%$name}config --services 2>/dev/null)"})
        compadd -- $before$^found
    else
        found=(${(f)"$(${words[1]} --complete -- ${(@)words[1,CURRENT]} 2>/dev/null)"})
        compadd -- $found
    fi
}

compdef _invoke_devstack invoke inv
