from generators import *
from generators import __all__ as __all__
