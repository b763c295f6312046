"""Nobody looks for cycles while an edition is made, and everybody does afterwards."""

import gc
import platform

import pytest

from digests.frugal import frugally, give_back_large_arrays


def test_cycles_are_looked_for_again_when_an_edition_has_failed():
    with pytest.raises(KeyError), frugally():
        assert not gc.isenabled()
        raise KeyError

    assert gc.isenabled()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library decides by itself")
def test_glibc_is_told_what_it_keeps():
    assert give_back_large_arrays()
