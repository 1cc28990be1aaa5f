"""Tests. A package, because a dependency of Azure CLI installs one of the same name."""
