"""The checks of infra/validate that need more than a few lines."""
