from qtpy.QtWidgets import QFileDialog, QWidget

from napari_allxai_widgets.choosing import choose_file, choose_folder


def test_nothing_is_changed_where_something_to_read_is_chosen(qtbot, tmp_path, monkeypatch):
    parent = QWidget()
    qtbot.addWidget(parent)
    options = []

    def file(*arguments):
        options.append(arguments[-1])
        return "cell.png", ""

    def folder(*arguments):
        options.append(arguments[-1])
        return "study"

    monkeypatch.setattr(QFileDialog, "getOpenFileName", file)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", folder)
    assert choose_file(parent, "File", str(tmp_path), "Images (*.png)") == "cell.png"
    assert choose_folder(parent, "Folder", str(tmp_path)) == "study"
    assert options == [
        QFileDialog.Option.ReadOnly,
        QFileDialog.Option.ReadOnly | QFileDialog.Option.ShowDirsOnly,
    ]
