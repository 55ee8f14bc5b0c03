"""Stand-ins for official images, made from Debian packages where no registry can be reached."""

from invoke_devstack.setup.standins.maker import make_standins
from invoke_devstack.setup.standins.recipes import RECIPES, Recipe, find_recipe

__all__ = ["RECIPES", "Recipe", "find_recipe", "make_standins"]
