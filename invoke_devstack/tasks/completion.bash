# Completion of Invoke's tasks, flags and this stack's services for bash:
#
#     source <(python -m invoke_devstack completion bash)        in ~/.bashrc

_invoke_devstack() {
    local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
    local word task="" before="" words
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ $word == -- ]]; then return; fi  # the words of a command in a container
        if [[ -z $task && $word != -* ]]; then task=$word; fi
    done
    local name="${task##*.}"
    if [[ -n $task && ( $previous == -s || $previous == --service ||
            ( $previous == "$task" && $current != -* && " @TAKES_SERVICE@ " == *" $name "* ) ) ]]; then
        [[ $current == *,* ]] && before="${current%,*},"
        words=$("${COMP_WORDS[0]}" "${task%"$name"}config" --services 2>/dev/null)
        COMPREPLY=($(compgen -P "$before" -W "$words" -- "${current##*,}"))
    else
        words=$("${COMP_WORDS[0]}" --complete -- "${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null)
        COMPREPLY=($(compgen -W "$words" -- "$current"))
    fi
}

complete -F _invoke_devstack -o default invoke inv
