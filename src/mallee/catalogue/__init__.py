"""Device models as data: one TOML file a model under `models/`, and what reads them and site files."""

from mallee.catalogue.read import load_models, load_site, load_site_file

__all__ = ["load_models", "load_site", "load_site_file"]
