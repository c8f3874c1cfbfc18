from latentloom.augment.spelling import nearest


def test_a_misspelt_name_gets_its_neighbour():
    assert nearest("class_preservng", ["reconstruct", "class_preserving"]) == (
        "Did you mean 'class_preserving'?"
    )


def test_a_foreign_name_gets_no_guess():
    assert nearest("qqqq", ["reconstruct"]) == "Choose one of them."
