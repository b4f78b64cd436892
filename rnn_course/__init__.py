"""Helpers of the course: recurrent networks in Keras, trained on real data and then opened."""
