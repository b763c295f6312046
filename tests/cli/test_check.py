"""`watcher check` beyond the settings file itself."""

from watcher.cli.main import run

SETTINGS = '[[sources]]\nurl = "https://news.example/feed"\n'


def test_faults_in_rules_for_sites_are_named_with_file_and_line(tmp_path, capsys):
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS)
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "news.toml").write_text('hosts = ["news.example"]\nreason = "A box."\ndrp = [".a"]\n')

    assert run(["check", "--config", str(settings)]) == 2

    told = capsys.readouterr().err
    assert f"{tmp_path / 'sites' / 'news.toml'}:3:" in told
    assert 'did you mean "drop"' in told


def test_rules_for_sites_are_counted(tmp_path, capsys):
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS)
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "news.toml").write_text('hosts = ["news.example"]\nreason = "A box."\ndrop = [".a"]\n')

    assert run(["check", "--config", str(settings)]) == 0

    assert "1 site rule" in capsys.readouterr().out


def test_a_missing_contact_is_told_beside_the_result(tmp_path, capsys):
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS)
    assert run(["check", "--config", str(settings)]) == 0
    assert "contact is not set" in capsys.readouterr().err

    settings.write_text(f'[fetch]\ncontact = "me@news.example"\n{SETTINGS}')
    assert run(["check", "--config", str(settings)]) == 0
    assert "contact" not in capsys.readouterr().err
