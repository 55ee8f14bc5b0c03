"""Image builds. Entry points: `builds.Builds`, and `choose_builder.choose_builder`, which decides between
BuildKit (`buildx`) and the classic builder (`classic`)."""
