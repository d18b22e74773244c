"""Very deep next-item recommenders that grow inside one fit."""
