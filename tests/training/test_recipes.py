from allxai_desktop.networks.architectures import ARCHITECTURES
from allxai_desktop.training.datasets.data import Item
from allxai_desktop.training.recipes import CNMC, RECIPES


def test_subjects_are_swapped_between_training_and_test():
    items = [Item("a", "all", "23"), Item("b", "all", "16"), Item("c", "hem", "H14"), Item("d", "hem", "H10")]
    assert CNMC.swap_subjects(items).test_subjects == {"16", "H10"}


def test_the_subject_is_in_the_name_of_the_file():
    assert CNMC.subject_of("UID_H10_12_3_hem.png") == "H10"


def test_every_recipe_can_be_built():
    assert {recipe.architecture for recipe in RECIPES.values()} <= set(ARCHITECTURES)
    for recipe in RECIPES.values():
        assert all(len(titles) == len(recipe.task.classes) for titles in recipe.task.class_titles.values())
        # Grad-CAM needs a map of some extent: at least 5 × 5.
        assert recipe.input_side // 32 >= 5
