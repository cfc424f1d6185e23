"""`python -m allxai_desktop` is `allxai`."""

import sys

from allxai_desktop.cli import main

sys.exit(main())
