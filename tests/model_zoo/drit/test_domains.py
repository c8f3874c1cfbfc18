"""Pairs of images of two domains: which are drawn, how often, and what data are refused."""

import numpy as np
import pytest

from latentloom.model_zoo.drit import DomainBatches
from latentloom.model_zoo.drit.domains import check_domains

SETTINGS = {"batch_size": 8, "value_range": (-1.0, 1.0), "seed": 3}


def examples(sizes=(400, 100, 40)):
    """Images of one value each, their number; a domain of each of these sizes; four classes."""
    count = sum(sizes)
    values = np.arange(count) % 256
    images = np.broadcast_to(values[:, None, None, None], (count, 2, 2, 1)).astype(np.uint8)
    domains = np.repeat(np.arange(len(sizes)), sizes)
    return images, {"label": np.arange(count) % 4, "site": domains}


def batches(data=None, own=None, **settings):
    data = data or examples()
    return DomainBatches(*(own or data), pool=data, domain="site", **(SETTINGS | settings))


def test_rows_of_a_pair_lie_side_by_side_and_are_of_two_domains():
    for batch in (batches()[step] for step in range(50)):
        domains = batch[1]["domain"].reshape(-1, 2)
        assert (domains[:, 0] != domains[:, 1]).all()


def test_a_batch_holds_images_with_their_own_label_and_domain():
    images, factors = examples(sizes=(100, 60, 40))
    made = batches((images, factors))
    for x, y in (made[step] for step in range(20)):
        assert x.shape == (8, 2, 2, 1)
        assert x.dtype == np.float32
        assert {name: (c.shape, c.dtype) for name, c in y.items()} == {
            name: ((8,), np.dtype(np.int32)) for name in ("label", "domain")
        }
        rows = np.rint((x[:, 0, 0, 0] + 1) * 127.5).astype(int)
        np.testing.assert_array_equal(y["label"], factors["label"][rows])
        np.testing.assert_array_equal(y["domain"], factors["site"][rows])


def test_domains_are_as_likely_however_rare_and_labels_independent_of_them():
    made = batches(batch_size=512, epochs=range(40))
    domains, labels = (
        np.concatenate([made[step][1][name] for step in range(len(made))])
        for name in ("domain", "label")
    )
    count = len(domains)
    for place in (0, 1):  # of a pair
        shares = np.bincount(domains[place::2], minlength=3) / (count / 2)
        assert np.abs(shares - 1 / 3).max() < 5 * np.sqrt(2 / 9 / (count / 2))
    for domain in range(3):
        of_domain = labels[domains == domain]
        shares = np.bincount(of_domain, minlength=4) / len(of_domain)
        assert np.abs(shares - 0.25).max() < 5 * np.sqrt(3 / 16 / len(of_domain))


def test_a_batch_depends_on_seed_epoch_and_step_alone():
    whole, later = batches(epochs=range(2)), batches(epochs=range(1, 2), first_step=1)
    at = whole.steps_per_epoch + 1
    np.testing.assert_array_equal(whole[at][0], later[0][0])
    np.testing.assert_array_equal(whole[at][1]["domain"], later[0][1]["domain"])
    assert not np.array_equal(whole[0][0], whole[1][0])
    assert not np.array_equal(whole[0][0], batches(seed=4)[0][0])


@pytest.mark.parametrize(("asked", "devices", "given"), [(9, 1, 8), (8, 2, 8), (11, 2, 8)])
def test_every_device_has_whole_pairs(asked, devices, given):
    assert len(batches(batch_size=asked, divisor=devices)[0][0]) == given


def test_a_batch_without_room_for_a_pair_is_refused():
    with pytest.raises(ValueError, match=r"no room for a pair.*batch_size=1\. Raise"):
        batches(batch_size=1)
    with pytest.raises(ValueError, match="no room for a pair.*batch_size=3"):
        batches(batch_size=3, divisor=2)


def test_held_out_images_of_one_domain_have_partners_among_the_others():
    images, factors = examples()
    few = images[:20], {name: codes[:20] for name, codes in factors.items()}
    domains = batches(own=few)[0][1]["domain"].reshape(-1, 2)
    assert (domains[:, 0] == 0).all()
    assert (domains[:, 1] > 0).all()


# --- Data that are refused --------------------------------------------------------------------


def test_data_that_allow_translation_are_accepted(caplog):
    check_domains(examples()[1], "site", 3)
    assert not caplog.records


@pytest.mark.parametrize("sizes", [(60, 15), (60, 0)])
def test_a_domain_with_few_images_is_refused(sizes):
    message = rf"too few training examples.*at least 16.*{sizes[1]} of value 1.*Import more"
    with pytest.raises(ValueError, match=message):
        check_domains(examples(sizes)[1], "site", 2)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_domain_that_tells_the_label_is_refused_by_name(classes):
    domains = np.repeat(np.arange(3), 20)
    factors = {"label": np.minimum(domains, classes - 1), "site": domains}
    message = r"'site' tells the label: .*change the class.*model\.args\.domain` to label"
    with pytest.raises(ValueError, match=message):
        check_domains(factors, "site", 3)


def test_classes_of_one_domain_each_are_told_of(caplog):
    labels = np.arange(80) % 4
    check_domains({"label": labels, "site": labels // 2}, "site", 2)
    assert "Every class has images of one domain 'site' alone" in caplog.text


def test_classes_may_be_the_domains():
    check_domains({"label": np.arange(80) % 4}, "label", 4)


def test_a_missing_label_is_refused():
    _, factors = examples()
    with pytest.raises(ValueError, match="lack a factor.*label, site"):
        check_domains({"site": factors["site"]}, "site", 3)
    labels = np.where(factors["site"] == 1, -1, factors["label"])
    with pytest.raises(ValueError, match="has no label.*in every domain.*label -1"):
        check_domains(factors | {"label": labels}, "site", 3)


def test_a_missing_domain_is_refused():
    with pytest.raises(ValueError, match=r"lack a factor.*label, site.*model\.args\.domain"):
        check_domains({"label": np.arange(80) % 4}, "site", 2)
