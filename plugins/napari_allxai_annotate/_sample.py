"""The sample study as napari sample data."""

from importlib.resources import as_file, files

from allxai_desktop.images import read_image
from allxai_desktop.masks.npz import load_mask
from allxai_desktop.study.folder import Study
from napari_allxai_annotate._reader import LayerData
from napari_allxai_annotate.canvas import mask_colormap, mask_name


def open_sample() -> list[LayerData]:
    """Return the images and masks of the study as layers; the first image is on top and the only one shown."""
    layers: list[LayerData] = []
    with as_file(files("allxai_resources") / "sample_study") as folder:
        items = Study.open(folder).items
        for item in reversed(items):
            image = read_image(item.image_path)
            shown = item is items[0]
            layers.append((image.pixels, {"name": image.name, "rgb": True, "visible": shown}, "image"))
            if item.mask_path.exists():
                settings = {
                    "name": mask_name(image.name),
                    "colormap": mask_colormap(),
                    "opacity": 0.5,
                    "visible": shown,
                }
                layers.append((load_mask(item.mask_path, image).codes, settings, "labels"))
    return layers
