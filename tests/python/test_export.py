"""gradatim.export: public names for one's own losses, metrics, learners and fields."""

import functools
import inspect
import re
import warnings

import pytest

from gradatim import _export
from gradatim._export import api_export, export, exports, find, names_of


@pytest.fixture(autouse=True)
def empty(monkeypatch):
    monkeypatch.setattr(_export, "_by_name", {})
    monkeypatch.setattr(_export, "_spaces", {})


def line_of(function):
    return f"{__file__}:{inspect.unwrap(function).__code__.co_firstlineno}"


def test_the_marked_object_is_returned_unchanged():
    def focal(y_true, y_score):
        return y_score - y_true, y_score

    before = dict(vars(focal))
    assert export("my.loss.focal", kind="boost.loss")(focal) is focal
    assert vars(focal) == before


def test_an_object_is_found_by_each_of_its_names():
    @export("my.loss.focal", "my.loss.lin2017")
    def focal():
        return None

    assert find("my.loss.focal") is focal
    assert find("my.loss.lin2017") is focal
    assert find("my.loss.other") is None
    assert names_of(focal) == ("my.loss.focal", "my.loss.lin2017")


def test_a_subclass_does_not_inherit_the_name_of_its_base():
    @export("my.learner.base")
    class Base:
        pass

    class Derived(Base):
        pass

    assert find("my.learner.base") is Base
    assert names_of(Derived) == ()


def test_exports_are_listed_once_by_kind():
    export("my.metric.b", "my.metric.c", kind="boost.metric")(lambda: 1)
    export("my.metric.a", kind="boost.metric")(lambda: 2)
    export("my.field", kind="process.field")(lambda: 3)
    assert [entry.names[0] for entry in exports("boost.metric")] == ["my.metric.a", "my.metric.b"]
    assert len(exports()) == 3


def test_a_duplicate_names_both_places():
    @export("my.loss.focal")
    def first():
        return None

    def second():
        return None

    message = f"'my.loss.focal' is exported twice: at {line_of(first)} and at {line_of(second)}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        export("my.loss.focal")(second)
    assert find("my.loss.focal") is first


def test_a_refused_export_leaves_no_name_behind():
    export("my.loss.a")(lambda: 1)

    def other():
        return None

    with pytest.raises(ValueError, match="exported twice"):
        export("my.loss.new", "my.loss.a")(other)
    assert find("my.loss.new") is None


def test_a_definition_that_runs_again_takes_its_own_place():
    def define():
        @export("my.loss.again")
        def again():
            return None

        return again

    define()
    newest = define()
    assert find("my.loss.again") is newest


def test_a_name_in_another_packages_space_names_both_places():
    door = functools.partial(api_export, api_name="mypackage")

    @door("mypackage.loss.a")
    def owned():
        return None

    def intruder():
        return None

    message = (
        f"'mypackage.loss.b', exported by gradatim at {line_of(intruder)}, lies in the space of "
        f"'mypackage.', which belongs to mypackage (first exported at {line_of(owned)})"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        export("mypackage.loss.b")(intruder)


def test_the_spaces_of_the_library_are_closed():
    space = next(iter(_export.NAMES)).partition(".")[0]

    def mine():
        return None

    with pytest.raises(ValueError, match=rf"in the space of '{space}\.', which belongs to the lib"):
        export(f"{space}.loss.mine")(mine)


@pytest.mark.parametrize("name", ["focal", "My.loss", "my..loss", "my.loss.", ".my", "my. x", ""])
def test_a_badly_formed_name_is_refused(name):
    with pytest.raises(ValueError, match=r"must be dotted snake_case, such as 'my.loss.focal'$"):
        export(name)(lambda: None)


def test_an_export_without_a_name_is_refused():
    with pytest.raises(ValueError, match=r"^gradatim: an export needs at least one public name$"):
        export()


def test_a_misspelt_kind_names_the_nearest():
    kind = next(iter(_export.NAMES.values()))
    with pytest.raises(ValueError, match=f"there is no kind '{kind}x'; did you mean '{kind}'"):
        export("my.loss.focal", kind=kind + "x")


def test_another_kind_is_refused_where_a_kind_is_wanted():
    @export("my.metric.gain", kind="boost.metric")
    def gain():
        return 0.0

    assert find("my.metric.gain", "boost.metric") is gain
    message = f"'my.metric.gain', exported at {line_of(gain)}, is a boost.metric, but a boost.loss"
    with pytest.raises(TypeError, match=re.escape(message)):
        find("my.metric.gain", "boost.loss")


def test_a_deprecated_name_warns_when_it_is_asked_for():
    @export("my.loss.old", deprecated="1.2", replaced_by="my.loss.new")
    def old():
        return None

    with pytest.warns(DeprecationWarning, match=r"^my.loss.old is deprecated since 1.2; use my"):
        assert find("my.loss.old") is old
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert names_of(old) == ("my.loss.old",)
