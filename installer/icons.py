"""Makes the icons of Windows and macOS from `resources/icons/allxai.svg`: `python installer/icons.py`."""

from pathlib import Path

from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPainter
from qtpy.QtSvg import QSvgRenderer

FOLDER = Path(__file__).parents[1] / "resources" / "icons"
SIDE = 1024
WINDOWS = [(side, side) for side in (16, 24, 32, 48, 64, 128, 256)]


def main() -> None:
    """Write `allxai.ico` and `allxai.icns`."""
    image = QImage(SIDE, SIDE, QImage.Format.Format_RGBA8888)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(FOLDER / "allxai.svg")).render(painter)
    painter.end()
    picture = Image.frombytes("RGBA", (SIDE, SIDE), bytes(image.constBits()))
    picture.save(FOLDER / "allxai.ico", sizes=WINDOWS)
    picture.save(FOLDER / "allxai.icns")


if __name__ == "__main__":
    main()
