# The tasks of invoke-devstack as Make targets:
#
#     include $(shell python -m invoke_devstack makefile)
#
#     make up              make logs s=web            make exec s=web cmd='python --version'
#     make down            make logs args='--tail 9'  make shell s=web
#
# s     a service, or several with commas between them
# cmd   a command to run in the service, for `exec` and `run`
# args  flags of the task, as `invoke --help TASK` shows them
#
# DEVSTACK_PREFIX, set before the include, goes before each target (`stack-` gives `make stack-up`);
# DEVSTACK_NAMESPACE before each task, for a tasks.py that adds the stack under a name (`stack.`).

INVOKE ?= invoke

devstack_lists := up logs ps build watch start stop restart pause unpause kill rm pull push wait reset env
devstack_plain := down config images top stats events snapshots urls graph is-ready stacks doctor setup
devstack_inside := shell connect port inspect diff snapshot restore open
devstack_commands := exec run

# `up` that another target needs comes back when the stack is ready, so that the other one is made.
devstack_goal = $(or $(lastword $(MAKECMDGOALS)),$(.DEFAULT_GOAL))
devstack_detach = $(if $(filter $(DEVSTACK_PREFIX)up,$(devstack_goal))$(filter --attach --detach -d,$(args)),,--detach)

define devstack_target
.PHONY: $(DEVSTACK_PREFIX)$(1)
$(DEVSTACK_PREFIX)$(1):
	@$$(INVOKE) $(DEVSTACK_NAMESPACE)$(1) $(if $(filter up,$(1)),$$(devstack_detach)) $(2)
endef

$(foreach task,$(devstack_lists),$(eval $(call devstack_target,$(task),$$(if $$(s),-s $$(s)) $$(args))))
$(foreach task,$(devstack_plain),$(eval $(call devstack_target,$(task),$$(args))))
$(foreach task,$(devstack_inside),$(eval $(call devstack_target,$(task),$$(s) $$(args))))
$(foreach task,$(devstack_commands),$(eval $(call devstack_target,$(task),$$(s) $$(args) -- $$(cmd))))
