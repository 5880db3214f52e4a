"""The procedural world: the same from any window, believable, and dated."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tasks.planet
from tasks.planet.classes import ROOFS, Cover, Land
from tasks.planet.noise import fbm, fbm_at, mix, unit
from tasks.planet.planet import scenes_by_archive, write_planet
from tasks.planet.strokes import paint_polygons
from tasks.planet.world import Event, Sky, Window, World

WORLD = World(7)
PLANET = Path(tasks.planet.__path__[0])


def square(left_m: float, top_m: float, pixel_m: float, size: int) -> Window:
    return Window.regular(left_m=left_m, top_m=top_m, pixel_m=pixel_m, height=size, width=size)


@pytest.fixture(scope="module")
def town_window() -> Window:
    towns = WORLD.towns(square(500_000, 5_000_000, 100.0, 200))
    town = max(towns, key=lambda town: town.radius_m)
    return square(town.x_m - 256, town.y_m + 256, 0.5, 1024)


def test_the_planet_imports_nothing_of_ours_but_itself():
    ours = {"flows", "masks", "schemas", "tasks", "templates", "view"}
    for path in PLANET.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name.split(".")[0] not in ours or name.startswith("tasks.planet."), path


def test_noise_has_mean_zero_and_standard_deviation_one():
    axis = np.arange(400) * 50.0
    for octaves in (1, 4):
        field = fbm(3, axis, axis, 300.0, octaves)
        assert abs(float(field.mean())) < 0.1
        assert 0.9 < float(field.std()) < 1.1


def test_noise_on_a_grid_is_the_noise_at_its_points():
    x_W, y_H = np.array([10.0, 77.5, 4000.25]), np.array([-3.0, -912.0])
    grid_HW = fbm(5, x_W, y_H, 120.0, 3)
    for row, y in enumerate(y_H):
        at_W = fbm_at(5, x_W, np.full(3, y), 120.0, 3)
        assert np.allclose(grid_HW[row], at_W, atol=1e-5)


@given(st.integers(0, 2**31), st.integers(-(2**40), 2**40), st.integers(-(2**40), 2**40))
def test_a_place_hashes_the_same_alone_and_among_others(seed, i, j):
    many = mix(seed, np.array([i, i + 1]), np.array([j, j]))
    assert int(mix(seed, i, j)) == int(many[0])
    assert int(many[0]) != int(many[1])
    assert 0.0 <= float(unit(seed, i, j)) < 1.0


def test_equal_seeds_give_equal_worlds_and_others_differ():
    window = square(400_000, 5_300_000, 10.0, 120)
    land_HW = WORLD.land_HW(window)
    assert np.array_equal(land_HW, World(7).land_HW(window))
    assert not np.array_equal(land_HW, World(8).land_HW(window))


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_windows_that_overlap_agree(column, row):
    whole = square(412_000, 5_310_000, 10.0, 120)
    part = square(412_000 + 10 * column, 5_310_000 - 10 * row, 10.0, 60)
    for ask in (WORLD.land_HW, WORLD.cover_HW):
        again_HW = ask(part)
        same = ask(whole)[row : row + 60, column : column + 60] == again_HW
        assert same[1:-1, 1:-1].mean() > 0.995  # slopes are one-sided at a window's edge


def test_a_large_piece_of_land_holds_nearly_every_class_and_no_class_rules():
    land_HW = WORLD.land_HW(square(300_000, 5_400_000, 100.0, 500))
    shares = np.bincount(land_HW.ravel(), minlength=len(Land)) / land_HW.size
    assert (shares > 0).sum() >= len(Land) - 3
    assert shares.max() < 0.35
    assert shares[list(range(Land.ARABLE, Land.AGROFORESTRY + 1))].sum() > 0.2


def test_patches_of_a_kilometre_hold_a_few_classes_of_very_different_size():
    counts, smallest, largest = [], [], []
    for k in range(40):
        window = square(310_000 + 2300 * k, 5_390_000 - 1700 * k, 20.0, 60)
        pixels = np.bincount(WORLD.land_HW(window).ravel())
        present = pixels[pixels >= 18]
        counts.append(present.size)
        smallest.append(present.min())
        largest.append(present.max())
    assert 3 <= np.median(counts) <= 7
    assert np.median(largest) > 6 * np.median(smallest)


def test_every_building_lies_where_its_roof_is_seen(town_window):
    cover_HW = WORLD.cover_HW(town_window)
    buildings = WORLD.buildings(town_window)
    assert len(buildings) > 30
    corners = np.array([building.corners_m for building in buildings])
    drawn_HW = np.zeros(town_window.shape_HW, dtype=np.uint8)
    paint_polygons(drawn_HW, town_window, corners, np.ones(len(buildings), dtype=np.uint8))
    assert np.array_equal(drawn_HW > 0, np.isin(cover_HW, ROOFS))


def test_buildings_have_ids_of_their_own_and_are_the_same_from_another_window(town_window):
    buildings = WORLD.buildings(town_window)
    ids = [building.building_id for building in buildings]
    assert ids == sorted(set(ids))
    bounds = town_window.bounds_m
    wider = WORLD.buildings(square(bounds[0] - 300, bounds[3] + 300, 10.0, 120))
    assert set(buildings) <= set(wider)


def test_buildings_hardly_overlap(town_window):
    buildings = WORLD.buildings(town_window)
    corners = np.array([building.corners_m for building in buildings])
    drawn = np.zeros(town_window.shape_HW, dtype=np.uint8)
    paint_polygons(drawn, town_window, corners, np.ones(len(corners), dtype=np.uint8))
    sides_a = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
    sides_b = np.linalg.norm(corners[:, 2] - corners[:, 1], axis=1)
    inside = (corners.mean(axis=1) - town_window.bounds_m[:2] > 20).all(axis=1)
    inside &= (town_window.bounds_m[2:] - corners.mean(axis=1) > 20).all(axis=1)
    whole_m2 = (sides_a * sides_b)[inside].sum()
    assert drawn.sum() * 0.25 > 0.9 * whole_m2


def test_towns_only_grow():
    window = square(500_000, 5_000_000, 20.0, 400)
    then, now = (set(WORLD.buildings(window, year)) for year in (2014.0, 2024.0))
    assert then < now
    assert all(2014.0 < building.built_year <= 2024.0 for building in now - then)


def test_building_sites_are_there_in_the_year_before_the_houses():
    window = square(500_000, 5_000_000, 40.0, 500)
    site_HW = WORLD.land_HW(window, 2016.0) == Land.CONSTRUCTION
    later_HW = WORLD.land_HW(window, 2017.05)
    assert site_HW.sum() > 50
    built = (Land.TOWN, Land.TOWN_DENSE, Land.INDUSTRY, Land.PARK, Land.SPORT)
    assert np.isin(later_HW[site_HW], built).mean() > 0.9


def test_waters_stand_higher_in_wet_years():
    window = square(300_000, 5_400_000, 60.0, 500)
    dry, wet = (
        np.isin(WORLD.land_HW(window, year), (Land.LAKE, Land.RIVER)).sum()
        for year in (2016.6, 2020.2)
    )
    assert wet > 1.05 * dry


def event(kind: str, window: Window, strength: float = 1.0) -> Event:
    x, y = float(window.x_W.mean()), float(window.y_H.mean())
    return Event(
        kind=kind, x_m=x, y_m=y, radius_m=120.0, strength=strength, heading_rad=0.4, seed=11
    )


def test_damage_is_worst_near_the_event_and_none_far_away(town_window):
    buildings = WORLD.buildings(town_window)
    struck = event("earthquake", town_window)
    levels = ("no-damage", "minor-damage", "major-damage", "destroyed")
    rank = np.array([levels.index(level) for level in WORLD.damages(buildings, struck)])
    away = np.array(
        [np.hypot(b.centre_m[0] - struck.x_m, b.centre_m[1] - struck.y_m) for b in buildings]
    )
    assert rank[away < 60].mean() > 2
    assert (rank[away > 330] == 0).all()
    assert set(rank.tolist()) == {0, 1, 2, 3}
    assert WORLD.damage(buildings[0], struck) == levels[rank[0]]


def test_a_flood_covers_streets_but_not_roofs_and_a_calm_event_changes_nothing(town_window):
    before_HW3 = WORLD.rgb_HWC(town_window)
    flood = event("flooding", town_window)
    after_HW3 = WORLD.rgb_HWC(town_window, event=flood)
    wet_HW = WORLD.severity_HW(town_window, flood) > 0.5
    changed_HW = (before_HW3 != after_HW3).any(axis=2)
    assert 0.05 < wet_HW.mean() < 0.6
    assert changed_HW[wet_HW].mean() > 0.9
    calm = event("flooding", town_window, strength=0.0)
    assert np.array_equal(WORLD.severity_HW(town_window, calm) > 0.5, np.zeros_like(wet_HW))


def test_spectra_tell_water_from_leaves():
    window = square(300_000, 5_400_000, 20.0, 300)
    light = WORLD.optical_HWB(window, ("B04", "B08"))
    land_HW = WORLD.land_HW(window)
    ndvi = (light[..., 1] - light[..., 0]) / (light[..., 1] + light[..., 0])
    assert ndvi[land_HW == Land.BROADLEAF].mean() > 0.7
    assert ndvi[np.isin(land_HW, (Land.SEA, Land.LAKE))].mean() < 0.2


def test_radar_is_dark_on_water_bright_in_town_and_speckled():
    window = square(300_000, 5_400_000, 20.0, 300)
    decibel = WORLD.radar_HW2(window)
    land_HW = WORLD.land_HW(window)
    water, town = (
        decibel[np.isin(land_HW, lands)].mean(axis=0)
        for lands in ((Land.SEA, Land.LAKE), (Land.TOWN_DENSE, Land.INDUSTRY))
    )
    assert (town - water > 6).all()
    assert decibel.dtype == np.float32
    assert (decibel % 1 != 0).mean() > 0.99
    again = WORLD.radar_HW2(window, pass_seed=1)
    spread = (decibel - again)[land_HW == Land.BROADLEAF].std()
    assert 2.0 < spread < 4.5  # two passes of about 4.4 looks each


def test_clouds_hide_the_ground_from_light_and_not_from_radar():
    window = square(300_000, 5_400_000, 20.0, 200)
    sky = Sky(seed=5, cloud_share=0.4)
    hidden_HW = WORLD.cloud_HW(window, sky) > 0.9
    assert 0.1 < hidden_HW.mean() < 0.6
    clear = WORLD.optical_HWB(window, ("B04",))[..., 0]
    clouded = WORLD.optical_HWB(window, ("B04",), sky=sky)[..., 0]
    assert clouded[hidden_HW].mean() > 3 * clear[hidden_HW].mean()


def test_snow_lies_on_fields_but_not_on_the_sea():
    wide = square(300_000, 5_400_000, 200.0, 200)
    row, column = np.argwhere(WORLD.land_HW(wide) == Land.SEA)[0]
    window = square(wide.x_W[column] - 3000, wide.y_H[row] + 3000, 20.0, 300)
    land_HW = WORLD.land_HW(window)
    blue = WORLD.optical_HWB(window, ("B02",), sky=Sky(snow=True))[..., 0]
    assert blue[land_HW == Land.ARABLE].mean() > 0.25
    assert blue[land_HW == Land.SEA].mean() < 0.05


def test_the_tropics_have_mangroves_and_the_far_north_snow():
    south = WORLD.cover_HW(square(0, -45_000_000, 120.0, 250))
    north = WORLD.cover_HW(square(0, 45_000_000, 120.0, 250))
    assert (south == Cover.MANGROVE).any()
    assert not (south == Cover.CONIFER_TREE).any()
    assert (north == Cover.SNOW).any()
    assert (north == Cover.MOSS).any()
    assert not np.isin(north, (Cover.CROP_GREEN, Cover.BROADLEAF_TREE)).any()


def test_a_window_turns_metres_into_columns_and_rows():
    window = square(100.0, 50.0, 2.0, 10)
    corners = np.array([[101.0, 49.0], [119.0, 31.0], [121.0, 51.0]])
    assert window.pixels(corners).tolist() == [[0, 0], [9, 9], [10, -1]]
    assert window.split(2).x_W[:3].tolist() == [100.5, 101.5, 102.5]
    assert window.thinned(2).y_H[:2].tolist() == [48.0, 44.0]


def test_scenes_are_shared_out_equally_and_the_remainder_goes_to_the_first():
    assert set(scenes_by_archive(240).values()) == {60}
    shares = scenes_by_archive(6)
    assert shares == {"bigearthnet": 2, "xbd": 2, "chatearthnet": 1, "teochatlas": 1}
    assert sum(scenes_by_archive(1).values()) == 1


def test_a_planet_needs_a_scene_and_an_empty_folder(tmp_path):
    with pytest.raises(ValueError, match="not 0"):
        write_planet(tmp_path / "new", 0, 1)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(FileExistsError, match="full"):
        write_planet(tmp_path / "full", 4, 1)


@pytest.mark.slow
def test_a_planet_has_four_archives_their_truth_and_the_same_bytes_each_time(tmp_path):
    trees = []
    for name in ("one", "two"):
        root = tmp_path / name
        write_planet(root, 9, 5)
        trees.append({p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()})
    assert trees[0] == trees[1]
    folders = {path.parts[0] for path in trees[0]}
    assert folders == {"bigearthnet", "xbd", "chatearthnet", "teochatlas", "truth"}
    counts = {
        path.stem: len(json.loads(content)["scenes"])
        for path, content in trees[0].items()
        if path.parts[0] == "truth"
    }
    assert counts == {"bigearthnet": 3, "xbd": 2, "chatearthnet": 2, "teochatlas": 2}
