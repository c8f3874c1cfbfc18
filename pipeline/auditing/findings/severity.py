"""How bad each kind of finding is: the worst come first on the page."""

from __future__ import annotations

ONE_CLASS = 110
COMPLETE_TIE = 100
TIE = 90
PROPERTY_TIE = 88
LEAK = 80
TOO_FEW = 75
SUSPECTS = 70
CONFLICTS = 65
FOLLOWING_TIE = 60
UNEQUAL_CLASSES = 50
SPARSE_CELLS = 45
SMALL_LEAK = 42
SURPLUS = 40
CONSTANT = 30
