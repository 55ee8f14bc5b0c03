"""Stand-ins for official images, built from Debian packages if no registry can be reached. Entry points:
`find_recipe`, `make_standins`."""

from invoke_devstack.setup.standins.maker import make_standins
from invoke_devstack.setup.standins.recipes import RECIPES, Recipe, find_recipe

__all__ = ["RECIPES", "Recipe", "find_recipe", "make_standins"]
