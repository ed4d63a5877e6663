# tests of src/srs
