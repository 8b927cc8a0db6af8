"""The agreements of this clinic with its suppliers: a package that happens to have a name that mocksandbox has too."""

SUPPLIERS = {"flu": "Clinic supplies"}
