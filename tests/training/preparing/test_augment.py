import torch

from allxai_desktop.training.preparing.augment import Augmentation, augment_items

SETTINGS = Augmentation(zoom=1.2, stain=0.2)


def _pixels() -> torch.Tensor:
    return torch.randint(
        0, 256, (4, 3, 12, 12), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def test_the_view_of_an_image_does_not_depend_on_its_batch():
    pixels = _pixels()
    whole = augment_items(pixels, SETTINGS, seed=1, epoch=2, items=[7, 5, 0, 9])
    part = augment_items(pixels[2:], SETTINGS, seed=1, epoch=2, items=[0, 9])
    assert torch.equal(whole[2:], part)


def test_seed_epoch_and_item_each_change_the_view():
    pixels = _pixels()[:1]
    numbers = [(1, 2, 3), (0, 2, 3), (1, 0, 3), (1, 2, 0)]
    views = [augment_items(pixels, SETTINGS, seed=s, epoch=e, items=[i]) for s, e, i in numbers]
    assert all(not torch.equal(views[0], other) for other in views[1:])


def test_an_even_image_stays_even_without_a_change_of_stain():
    pixels = torch.full((2, 3, 9, 9), 102, dtype=torch.uint8)
    views = augment_items(pixels, Augmentation(stain=0.0), seed=0, epoch=0, items=[0, 1])
    torch.testing.assert_close(views, torch.full((2, 3, 9, 9), 0.4))
