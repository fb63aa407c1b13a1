"""Names of persons: the given names that announce one by themselves, and the words that never are a part of one.

A given name is here when it is common in a country that writes in Latin letters and isn't also an everyday word, a
month or a place (Mark, Grace, April, Austin are not here).
"""

_GIVEN_NAMES = """
    Aaron Abigail Adam Adriana Agnes Agnieszka Ahmed Alan Albert Alberto Alejandra Alejandro Aleksandra Alessandro
    Alexander Alexandra Alfred Ali Alice Alicia Alison Amanda Amelia Amélie Ana Anastasia Anders Andrea Andreas Andreia
    Andrew Andrzej Angela Angelika Anita Anke Ann Anna Anne Annette Annika Anthony Antoine Antonio António Arjun
    Arthur Arturo Ashley Astrid Aurélie Ayşe Barbara Beata Beatrice Beatriz Benjamin Bernard Bernd Bernhard Beth Betty
    Birgit Björn Bogdan Brandon Brenda Brian Bruce Bruno Camila Camille Carl Carla Carlo Carlos Carmen Carol Caroline
    Catarina Catherine Charles Charlotte Chloé Chris Christian Christina Christine Christoph Christopher Cindy Claire
    Clara Claudia Claudio Claus Cristina Cynthia Céline Daniel Daniela Danielle Dave David Davide Deborah Debra Denise
    Dennis Diana Diane Diego Dieter Dimitrios Dirk Dmitri Donald Donna Dorothy Douglas Eduardo Edward Elena Elias
    Elisabeth Elizabeth Ella Ellen Elsa Emilia Emily Emma Enrique Eric Erik Erika Ernst Esther Ethan Eugene Eva Evelyn
    Fabian Fabio Fatima Federico Felipe Felix Fernanda Fernando Filip Fiona Florian François Françoise Frank Franz
    Fred Frederick Fredrik Friedrich Gabriel Gabriela Gary George Georgios Gerald Gerhard Giorgio Giovanni Giulia
    Giuseppe Gloria Gonzalo Gordon Greg Gregory Guillaume Gustavo Hannah Hans Harold Heather Heidi Heike Heinrich Heinz
    Helen Helena Henrik Henry Horst Hugo Ian Ignacio Ilse Inês Ingrid Irene Isabel Isabella Isabelle Ivan Jacek Jack
    Jacob Jacqueline Jacques Jake James Jana Jane Janet Janice Jason Javier Jean Jeffrey Jennifer Jens Jeremy
    Jerzy Jesper Jesse Jessica Jill Joachim Joan Joana Joanna Johan Johann Johanna Johannes John Jonas Jonathan Jorge
    Joseph Joshua José João Juan Juana Judith Judy Julia Julian Julie Julien Juliette Jürgen Karen Karin Karl
    Katarzyna Kate Katharina Katherine Kathleen Kathryn Katrin Keith Kelly Kenneth Kevin Kim Kimberly Klaus Krzysztof
    Kyle Lars Larry Laura Lauren Laurent Lena Leonardo Leticia Linda Lisa Lorenzo Louis Louise Luca Lucas Lucia Lucía
    Luigi Ludwig Luis Luisa Lukas Lydia Léa Magdalena Malgorzata Manfred Manuel Marc Marcel Marcelo Marco Marcos
    Margaret
    Maria Marianne Marie Mario Marion Marta Martha Martin Martina Mary Mateo Mateusz Mathieu Matteo Matthew
    Matthias Maximilian María Megan Mehmet Melanie Melissa Michael Michaela Michał Michel Michelle Miguel Mikael
    Mohamed Mohammed Monica Monika Mónica Muhammad Nadia Nancy Natalia Natalie Nathalie Nathan Nicholas Nicola Nicolas
    Nicole Niels Nikolaos Nina Noah Nora Nuno Olga Oliver Olivia Olivier Oscar Pablo Pamela Paolo Pascal Patricia
    Patrick Patrizia Paul Paula Pauline Paulo Paweł Pedro Peter Petra Philip Philipp Philippe Pierre Piotr Priya
    Rachel Rafael Rainer Ralph Ramón Raquel Raymond Rebecca Renate Ricardo Riccardo Richard Rita Robert Roberto
    Rodrigo Roger Roland Rolf Ronald Rosa Roy Russell Ruth Ryan Sabine Sabrina Salvatore Samantha Samuel Sandra
    Sara Sarah Scott Sean Sebastian Sergio Sharon Shirley Silke Silvia Simon Simone Sofia Sophia Sophie Stefan Stefania
    Stefano Steffen Stephanie Stephen Steven Stéphane Susan Susanne Sven Sylvie Tamara Tanja Teresa Theodore Theresa
    Thierry Thomas Tiago Tim Timothy Tobias Tomasz Torsten Tyler Ulrich Ursula Ute Uwe Valentina Valérie Vanessa
    Vera Veronica Victor Vincent Vincenzo Virginie Walter Wayne Wei Werner Wilhelm William Wojciech Wolfgang
    Xavier Yusuf Yves Yvonne Zachary Zoë
    """

_EVERYDAY_WORDS = """
    Account Address Agent Api April Application Assistant August Avenue Bank Batch Billing Board Bucket Building Card
    Case Center City Claim Class Client Cloud Code College Company Contact Corporation Count Country Court Credit
    Customer Customers Data Dear December Delivery Department Description Details Director Doctor Drive Email Employee
    Error Event Expense February Foundation Friday Frau Function Group Guest Head Health Herr Hospital Hotel House
    Human Inc Institute Insurance International Invoice Item January July June Lake Limited List Ltd Madam Madame
    Management Manager March Market Member Message Miss Monday Monsieur Mount National Neighbour November
    October Office Order Orders Paper Park Partner Patient Payment Please Policy Portal Professor Product Project
    Queue Rate Reader Reference Region Report Request Resources Response Road Saturday School Secretary Section Senior
    September Server Service Services Shop Sir Square Status Store Street Sunday Support System Systems Team Test
    Thank Thanks The This Thursday Ticket Topic Total Tuesday Union United University User Value Wednesday Welcome
    Your Señor Señora Signor Signora Hello Hi
    """

GIVEN_NAMES = tuple(_GIVEN_NAMES.split())
NEVER_IN_NAMES = frozenset(_EVERYDAY_WORDS.split())


def is_name(text: str) -> bool:
    """None of its words is one of everyday business."""
    return NEVER_IN_NAMES.isdisjoint(text.split())
