from support.worlds import DIGEST, IMAGE, OTHER_DIGEST, revision, spec

from perennial_operator.revision import revision_name, source_name, wanted_revision


def test_the_number_of_replicas_makes_no_new_revision() -> None:
    assert revision(spec(replicas=1)).name == revision(spec(replicas=9)).name


def test_each_setting_of_the_pods_makes_a_new_revision() -> None:
    base = revision(spec())
    others = [
        revision(spec(), digest=OTHER_DIGEST),
        revision(spec(model={"uri": "s3://models/delays/2/"})),
        revision(spec(model={"secretRef": {"name": "keys"}})),
        revision(spec(serving={"resources": {"limits": {"nvidia.com/gpu": 1}}})),
        revision(spec(serving={"scheduling": {"nodeSelector": {"zone": "a"}}})),
        revision(spec(serving={"image": "mine:1"})),
    ]
    names = [each.name for each in (base, *others)]
    assert len(set(names)) == len(names)


def test_a_field_at_its_default_does_not_count() -> None:
    assert revision(spec()).name == revision(spec(serving={"resources": {}})).name


def test_a_new_default_image_does_not_affect_an_existing_revision() -> None:
    stable = revision(spec())
    wanted = wanted_revision(spec(), DIGEST, (stable,), "runtime:2", "2026-01-01T00:00:00Z")
    assert wanted == stable


def test_a_changed_spec_uses_the_new_default_image() -> None:
    changed = spec(serving={"scheduling": {"priorityClassName": "high"}})
    wanted = wanted_revision(changed, DIGEST, (revision(spec()),), "runtime:2", "now")
    assert wanted.image == "runtime:2"
    assert wanted.name == revision_name(changed, DIGEST, "runtime:2")


def test_an_image_in_the_spec_is_used() -> None:
    named = spec(serving={"image": "mine:1"})
    assert wanted_revision(named, DIGEST, (), IMAGE, "now").image == "mine:1"


def test_a_resolution_belongs_to_the_uri_of_the_model() -> None:
    base = source_name(spec().model)
    assert base == source_name(spec(model={"digest": OTHER_DIGEST}).model)
    assert base != source_name(spec(model={"uri": "s3://models/other/"}).model)
    assert base != source_name(spec(model={"secretRef": {"name": "keys"}}).model)
