# Completion of Invoke's tasks, flags and this stack's services for fish:
#
#     python -m invoke_devstack completion fish > ~/.config/fish/completions/invoke.fish

function __invoke_devstack
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l task
    contains -- -- $words[2..]; and return  # the words of a command in a container
    for word in $words[2..]
        if not string match --quiet -- '-*' $word
            set task $word
            break
        end
    end
    set -l name (string replace --regex '.*\.' '' -- "$task")
    set -l wanted no
    if test -n "$task"
        if contains -- "$words[-1]" -s --service
            set wanted yes
        else if test "$words[-1]" = "$task"; and contains -- "$name" @TAKES_SERVICE@
            string match --quiet -- '-*' "$current"; or set wanted yes
        end
    end
    if test $wanted = yes
        set -l before (string match --regex '.*,' -- "$current"; or echo "")
        set -l config (string replace --regex '[^.]*$' config -- $task)
        for service in ($words[1] $config --services 2>/dev/null)
            echo $before$service
        end
    else
        $words[1] --complete -- $words $current 2>/dev/null
    end
end

complete --command invoke --no-files --arguments '(__invoke_devstack)'
complete --command inv --no-files --arguments '(__invoke_devstack)'
