"""Device models as data, one TOML file each under `models/`, and what reads them and sites."""

from mallee.catalogue.device_models import load_models
from mallee.catalogue.read import load_site, load_site_file

__all__ = ["load_models", "load_site", "load_site_file"]
